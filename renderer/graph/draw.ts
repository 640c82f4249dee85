import type { GraphView } from '../../core/contract/views.ts';
import { formatShape } from '../ui/format.ts';
import { type Colouring, familyColour, familyOf } from './colour.ts';
import { boxHeight, boxWidth, type Layout } from './layout.ts';
import type { Box, Collapsed } from './namespace.ts';

/** Where the drawing lies on the canvas: screen = (drawing − origin) × scale. */
export interface Camera {
  x: number;
  y: number;
  scale: number;
}

export interface DrawInput {
  graph: GraphView;
  collapsed: Collapsed;
  layout: Layout;
  camera: Camera;
  selected?: number;
  hovered?: number;
  /** Boxes that a search found; the others fade. */
  found?: ReadonlySet<number>;
  colouring?: Colouring;
}

const textFromScale = 0.45;

/** Colours of the theme, read from the page, because a canvas has no style sheets. */
function palette(canvas: HTMLCanvasElement) {
  const style = getComputedStyle(canvas);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    surface: read('--surface'),
    line: read('--line-strong'),
    text: read('--text'),
    muted: read('--text-muted'),
    accent: read('--accent'),
    sunken: read('--sunken'),
    font: read('--font'),
  };
}

/** Draws what is in view. Both the canvas' size and the camera are in CSS pixels. */
export function drawGraph(canvas: HTMLCanvasElement, input: DrawInput): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const { layout, camera, collapsed } = input;
  const density = window.devicePixelRatio || 1;
  const width = canvas.width / density;
  const height = canvas.height / density;
  const colours = palette(canvas);

  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  context.scale(camera.scale, camera.scale);
  context.translate(-camera.x, -camera.y);

  const view = {
    left: camera.x - boxWidth,
    right: camera.x + width / camera.scale + boxWidth,
    top: camera.y - boxHeight,
    bottom: camera.y + height / camera.scale + boxHeight,
  };

  context.lineWidth = Math.max(1, 0.75 / camera.scale);
  for (const { from, to, points } of layout.routes) {
    const [start, end] = [points[0], points[points.length - 1]];
    if (Math.max(start[1], end[1]) < view.top || Math.min(start[1], end[1]) > view.bottom) continue;
    const touched = from === input.selected || to === input.selected;
    context.strokeStyle = touched ? colours.accent : colours.line;
    context.globalAlpha = touched ? 1 : 0.55;
    strokeRoute(context, points);
  }

  context.textBaseline = 'middle';
  collapsed.boxes.forEach((box, index) => {
    const x = layout.x[index];
    const y = layout.y[index];
    if (x < view.left || x > view.right || y < view.top || y > view.bottom) return;
    context.globalAlpha = input.found && !input.found.has(index) ? 0.3 : 1;
    drawBox(context, box, x - boxWidth / 2, y - boxHeight / 2, input, index, colours);
  });
  context.globalAlpha = 1;
}

function strokeRoute(context: CanvasRenderingContext2D, points: readonly [number, number][]): void {
  context.beginPath();
  context.moveTo(...points[0]);
  for (let i = 1; i < points.length; i += 1) {
    const [fromX, fromY] = points[i - 1];
    const [toX, toY] = points[i];
    const bend = (toY - fromY) / 2;
    context.bezierCurveTo(fromX, fromY + bend, toX, toY - bend, toX, toY);
  }
  context.stroke();
}

function roundedRect(context: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  context.beginPath();
  context.moveTo(x + r, y);
  context.arcTo(x + boxWidth, y, x + boxWidth, y + boxHeight, r);
  context.arcTo(x + boxWidth, y + boxHeight, x, y + boxHeight, r);
  context.arcTo(x, y + boxHeight, x, y, r);
  context.arcTo(x, y, x + boxWidth, y, r);
  context.closePath();
}

function drawBox(
  context: CanvasRenderingContext2D,
  box: Box,
  x: number,
  y: number,
  input: DrawInput,
  index: number,
  colours: ReturnType<typeof palette>,
): void {
  const { graph, colouring, camera } = input;
  const op = graph.nodes[box.nodes[0]].op;
  const selected = index === input.selected;

  if (box.isGroup) {
    // A second edge behind says that there is more inside.
    roundedRect(context, x + 3, y + 3, 5);
    context.fillStyle = colours.sunken;
    context.fill();
    context.strokeStyle = colours.line;
    context.stroke();
  }
  roundedRect(context, x, y, 5);
  context.fillStyle = colours.surface;
  context.fill();
  const strength = colouring?.strength(box.nodes);
  if (strength !== undefined) {
    const before = context.globalAlpha;
    context.globalAlpha = before * strength * 0.42;
    context.fillStyle = colours.accent;
    context.fill();
    context.globalAlpha = before;
  }
  context.strokeStyle = selected || index === input.hovered ? colours.accent : colours.line;
  const width = context.lineWidth;
  context.lineWidth = selected ? width * 2.5 : width;
  context.stroke();
  context.lineWidth = width;

  if (!box.isGroup) {
    context.fillStyle = familyColour[familyOf(op)];
    context.fillRect(x + 1, y + 6, 3, boxHeight - 12);
  }
  if (camera.scale < textFromScale) return;
  const inner = boxWidth - 20;
  context.fillStyle = colours.text;
  context.font = `600 12px ${colours.font}`;
  const title = box.isGroup ? lastParts(box.id) : op;
  context.fillText(shorten(context, title, inner), x + 11, y + 12);
  context.fillStyle = strength === undefined ? colours.muted : colours.text;
  context.font = `11px ${colours.font}`;
  context.fillText(shorten(context, subtitle(box, input), inner), x + 11, y + 26);
}

function subtitle(box: Box, { graph, colouring }: DrawInput): string {
  const coloured = colouring?.text(box.nodes);
  if (coloured) return coloured;
  if (box.isGroup) return `${box.nodes.length} operators`;
  return formatShape(graph.nodes[box.nodes[0]].outputShape);
}

/** The group with the one around it: many layers have an `attention`. */
function lastParts(path: string): string {
  return path.split('/').slice(-2).join('/');
}

const fitted = new Map<string, string>();

/** Shortens a text to a width, with an ellipsis. Remembers, because measuring is what costs. */
function shorten(context: CanvasRenderingContext2D, text: string, width: number): string {
  const key = `${context.font}|${width}|${text}`;
  const known = fitted.get(key);
  if (known !== undefined) return known;
  let shown = text;
  if (context.measureText(text).width > width) {
    let end = text.length;
    while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
    shown = `${text.slice(0, end)}…`;
  }
  if (fitted.size > 5000) fitted.clear();
  fitted.set(key, shown);
  return shown;
}

/** The box under a point of the drawing, if any. */
export function boxAt(layout: Layout, x: number, y: number): number | undefined {
  for (let i = 0; i < layout.x.length; i += 1) {
    if (Math.abs(layout.x[i] - x) <= boxWidth / 2 && Math.abs(layout.y[i] - y) <= boxHeight / 2) return i;
  }
  return undefined;
}
