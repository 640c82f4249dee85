import { type ReactNode, useEffect, useRef, useState } from 'react';

const overscan = 8;

interface VirtualListProps<T> {
  items: readonly T[];
  rowHeight: number;
  /** Height of the viewport in pixels; the list is shorter when its rows are. */
  maxHeight: number;
  label: string;
  keyOf: (item: T, index: number) => string | number;
  children: (item: T, index: number) => ReactNode;
  /** Scrolled into view when it changes. */
  activeIndex?: number;
  /** Keeps the last row in view while rows are added, unless the person scrolled up. */
  followEnd?: boolean;
}

/** A list that only builds the rows in view; rows have one height. */
export function VirtualList<T>(props: VirtualListProps<T>) {
  const { items, rowHeight, maxHeight, label, keyOf, children, activeIndex, followEnd } = props;
  const viewport = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const height = Math.min(maxHeight, items.length * rowHeight);
  const first = Math.max(0, Math.floor(top / rowHeight) - overscan);
  const last = Math.min(items.length, Math.ceil((top + height) / rowHeight) + overscan);

  useEffect(() => {
    const box = viewport.current;
    if (!box || activeIndex === undefined || activeIndex < 0) return;
    const rowTop = activeIndex * rowHeight;
    if (rowTop < box.scrollTop) box.scrollTop = rowTop;
    else if (rowTop + rowHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = rowTop + rowHeight - box.clientHeight;
  }, [activeIndex, rowHeight]);

  const count = items.length;
  useEffect(() => {
    const box = viewport.current;
    if (!box || !followEnd) return;
    const end = count * rowHeight - box.clientHeight;
    if (end - box.scrollTop < rowHeight * 4) box.scrollTop = end;
  }, [followEnd, count, rowHeight]);

  return (
    <div
      ref={viewport}
      className="virtual"
      style={{ height }}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
    >
      <ul className="virtual-space" aria-label={label} style={{ height: items.length * rowHeight }}>
        {items.slice(first, last).map((item, offset) => {
          const index = first + offset;
          return (
            <li
              key={keyOf(item, index)}
              className="virtual-row"
              aria-setsize={items.length}
              aria-posinset={index + 1}
              style={{ top: index * rowHeight, height: rowHeight }}
            >
              {children(item, index)}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
