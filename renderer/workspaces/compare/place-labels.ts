export interface LabelRequest {
  /** Centre of the marker, in pixels. */
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedLabel {
  /** Top left corner of the label. */
  x: number;
  y: number;
  /** So far from its marker that a line should join them. */
  far: boolean;
}

interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const gap = 10;

function overlap(a: Rect, b: Rect): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return width > 0 && height > 0 ? width * height : 0;
}

/** The places a label may take around its marker, the best first: beside it, then in rings further out. */
function candidates({ x, y, width, height }: LabelRequest): Rect[] {
  const at = (left: number, top: number): Rect => ({ left, top, right: left + width, bottom: top + height });
  const right = x + gap;
  const left = x - gap - width;
  const centre = x - width / 2;
  const near = [at(right, y - height / 2), at(left, y - height / 2)];
  const rings = [0, 1, 2, 3].flatMap((ring) => {
    const above = y - height * (ring + 1) - 2;
    const below = y + height * ring + 2;
    return [
      at(right, above),
      at(right, below),
      at(left, above),
      at(left, below),
      at(centre, above - gap),
      at(centre, below + gap),
    ];
  });
  return [...near, ...rings];
}

/** Puts labels beside their markers so that they cover each other and the markers as little as can be. */
export function placeLabels(requests: readonly LabelRequest[], area: Rect): PlacedLabel[] {
  const markers = requests.map(
    ({ x, y }): Rect => ({ left: x - 8, right: x + 8, top: y - 8, bottom: y + 8 }),
  );
  const placed: Rect[] = [];
  return requests.map((request) => {
    const cost = (rect: Rect): number => {
      const outside =
        Math.max(0, area.left - rect.left) +
        Math.max(0, rect.right - area.right) +
        Math.max(0, area.top - rect.top) +
        Math.max(0, rect.bottom - area.bottom);
      return [...placed, ...markers].reduce((sum, other) => sum + overlap(rect, other), outside * 100);
    };
    let best = candidates(request)[0];
    let lowest = Number.POSITIVE_INFINITY;
    for (const rect of candidates(request)) {
      const now = cost(rect);
      if (now < lowest) [best, lowest] = [rect, now];
      if (now === 0) break;
    }
    placed.push(best);
    const distance = Math.max(best.top - request.y, request.y - best.bottom);
    return { x: best.left, y: best.top, far: distance > request.height / 2 };
  });
}
