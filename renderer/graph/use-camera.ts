import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';
import type { Camera } from './draw.ts';

const smallestScale = 0.05;
const largestScale = 2.5;
/** At this scale boxes are read with ease, and at this one still. */
const comfortable = 0.85;
const stillReadable = 0.5;
const margin = 16;

export interface CameraControl {
  camera: Camera;
  size: { width: number; height: number };
  zoomBy(factor: number, at?: { x: number; y: number }): void;
  panBy(dx: number, dy: number): void;
  /** Shows the whole drawing's width, from its top, never larger than life; what is too wide is shown around `middle`. */
  fitView(width: number, height: number, middle: number): void;
  /** Shows the drawing as a whole, however small. */
  showAll(width: number, height: number): void;
  /** Brings a point of the drawing to the middle when it is not in view. */
  reveal(x: number, y: number): void;
}

/** The canvas' size and what part of the drawing it shows; the wheel pans it, and zooms with Ctrl or ⌘. */
export function useCamera(stage: RefObject<HTMLDivElement | null>): CameraControl {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [camera, setCamera] = useState<Camera>({ x: 0, y: 0, scale: 1 });
  const sizeNow = useRef(size);
  sizeNow.current = size;

  useEffect(() => {
    const element = stage.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      setSize({ width, height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [stage]);

  const zoomBy = useCallback((factor: number, at?: { x: number; y: number }) => {
    const point = at ?? { x: sizeNow.current.width / 2, y: sizeNow.current.height / 2 };
    setCamera((before) => {
      const scale = Math.min(largestScale, Math.max(smallestScale, before.scale * factor));
      return {
        scale,
        x: before.x + point.x / before.scale - point.x / scale,
        y: before.y + point.y / before.scale - point.y / scale,
      };
    });
  }, []);

  const panBy = useCallback((dx: number, dy: number) => {
    setCamera((before) => ({ ...before, x: before.x + dx / before.scale, y: before.y + dy / before.scale }));
  }, []);

  const fitView = useCallback((width: number, height: number, middle: number) => {
    const { width: w, height: h } = sizeNow.current;
    if (w === 0) return;
    const across = (w - 2 * margin) / width;
    const down = (h - 2 * margin) / height;
    // A long chain shrunk to fit would be a thread: it is its width that must fit, while it can still be read.
    const readable = across >= stillReadable ? Math.min(across, Math.max(down, comfortable)) : comfortable;
    const scale = Math.min(1, readable);
    const centre = width * scale <= w ? width / 2 : middle;
    setCamera({ scale, x: centre - w / 2 / scale, y: -margin / scale });
  }, []);

  const showAll = useCallback((width: number, height: number) => {
    const { width: w, height: h } = sizeNow.current;
    const scale = Math.min(1, (w - 2 * margin) / width, (h - 2 * margin) / height);
    setCamera({ scale, x: width / 2 - w / 2 / scale, y: height / 2 - h / 2 / scale });
  }, []);

  const reveal = useCallback((x: number, y: number) => {
    const { width, height } = sizeNow.current;
    setCamera((before) => {
      const scale = Math.max(before.scale, comfortable);
      const screenX = (x - before.x) * before.scale;
      const screenY = (y - before.y) * before.scale;
      const inView =
        scale === before.scale &&
        screenX > 90 &&
        screenX < width - 90 &&
        screenY > 30 &&
        screenY < height - 30;
      return inView ? before : { scale, x: x - width / 2 / scale, y: y - height / 2 / scale };
    });
  }, []);

  useEffect(() => {
    const element = stage.current;
    if (!element) return;
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey)
        zoomBy(Math.exp(-event.deltaY / 300), { x: event.clientX - box.left, y: event.clientY - box.top });
      else panBy(event.deltaX, event.deltaY);
    };
    // React's own wheel listeners are passive and could not stop the page from scrolling.
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  }, [stage, panBy, zoomBy]);

  return { camera, size, zoomBy, panBy, fitView, showAll, reveal };
}
