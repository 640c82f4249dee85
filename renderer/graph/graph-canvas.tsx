import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { boxAt, type DrawInput, drawGraph } from './draw.ts';
import type { CameraControl } from './use-camera.ts';

interface GraphCanvasProps {
  drawing: Omit<DrawInput, 'camera' | 'hovered'>;
  control: CameraControl;
  theme: string;
  /** A box, or the ground beside them, was clicked. */
  onPick: (index: number | undefined) => void;
  /** The keys went on to a box, or left the selected one. */
  onWalk: (index: number | undefined) => void;
  /** Opens or closes the group of a box. */
  onToggle: (index: number) => void;
}

/** So many pixels a press may move and still be a click. */
const clickSlack = 4;

/** The canvas: draws the graph and hears pointer and keys. */
export function GraphCanvas({ drawing, control, theme, onPick, onWalk, onToggle }: GraphCanvasProps) {
  const { graph, collapsed, layout, selected, found, colouring } = drawing;
  const { camera, size, panBy, zoomBy, showAll } = control;
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<{ x: number; y: number; moved: boolean }>(undefined);
  const [hovered, setHovered] = useState<number>();

  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of theme changes the colours that are read
  useEffect(() => {
    const element = canvas.current;
    if (!element || size.width === 0) return;
    const density = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(size.width * density), Math.round(size.height * density)];
    if (element.width !== width || element.height !== height) {
      element.width = width;
      element.height = height;
    }
    const frame = requestAnimationFrame(() =>
      drawGraph(element, { graph, collapsed, layout, camera, selected, hovered, found, colouring }),
    );
    return () => cancelAnimationFrame(frame);
  }, [graph, collapsed, layout, camera, size, selected, hovered, found, colouring, theme]);

  const keyAction = (key: string): (() => void) | undefined => {
    if (key === '+' || key === '=') return () => zoomBy(1.25);
    if (key === '-') return () => zoomBy(0.8);
    if (key === '0') return () => showAll(layout.width, layout.height);
    if (key === 'Enter' && selected !== undefined) return () => onToggle(selected);
    if (key === 'Escape' && selected !== undefined) return () => onWalk(undefined);
    if (key.startsWith('Arrow'))
      return () => onWalk(selected === undefined ? 0 : neighbourOf(selected, key, drawing));
    return undefined;
  };
  const handleKey = (event: KeyboardEvent): void => {
    const action = keyAction(event.key);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };

  const boxUnder = (event: PointerEvent): number | undefined => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const x = camera.x + (event.clientX - left) / camera.scale;
    const y = camera.y + (event.clientY - top) / camera.scale;
    return boxAt(layout, x, y);
  };
  const handleMove = (event: PointerEvent): void => {
    const from = drag.current;
    if (!from) {
      setHovered(boxUnder(event));
      return;
    }
    const [dx, dy] = [from.x - event.clientX, from.y - event.clientY];
    if (!from.moved && Math.hypot(dx, dy) < clickSlack) return;
    drag.current = { x: event.clientX, y: event.clientY, moved: true };
    panBy(dx, dy);
  };

  return (
    <canvas
      ref={canvas}
      role="img"
      tabIndex={0}
      aria-label={`Graph of ${graph.nodes.length} operators. Arrow keys walk along it, Enter opens and closes groups.`}
      onKeyDown={handleKey}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { x: event.clientX, y: event.clientY, moved: false };
      }}
      onPointerMove={handleMove}
      onPointerUp={(event) => {
        if (drag.current && !drag.current.moved) onPick(boxUnder(event));
        drag.current = undefined;
      }}
      onPointerLeave={() => setHovered(undefined)}
      onDoubleClick={() => selected !== undefined && onToggle(selected)}
    />
  );
}

/** Where an arrow key leads: along an edge, or to the box beside in the same row; the box itself at an end. */
function neighbourOf(at: number, key: string, { collapsed, layout }: GraphCanvasProps['drawing']): number {
  if (key === 'ArrowDown') return collapsed.edges.find(([from]) => from === at)?.[1] ?? at;
  if (key === 'ArrowUp') return collapsed.edges.find(([, to]) => to === at)?.[0] ?? at;
  const row = collapsed.boxes
    .map((_, index) => index)
    .filter((index) => layout.rank[index] === layout.rank[at])
    .sort((a, b) => layout.x[a] - layout.x[b]);
  return row[row.indexOf(at) + (key === 'ArrowRight' ? 1 : -1)] ?? at;
}
