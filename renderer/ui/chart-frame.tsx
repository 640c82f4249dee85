import { Image, Table } from 'lucide-react';
import { type ReactNode, type RefObject, useEffect, useRef } from 'react';
import { Button } from './blocks.tsx';
import { copyPng, copyText } from './copy-chart.ts';
import { type DataTable, toCsv } from './csv.ts';
import { formatSignificant } from './format.ts';
import './chart-frame.css';

interface ChartFrameProps {
  title: string;
  /** Stem of the files when a copy has to be saved instead. */
  fileStem: string;
  data: DataTable;
  note?: ReactNode;
  tools?: ReactNode;
  level?: 2 | 3;
  /** Told what a copy did, for a message. */
  onCopied: (text: string) => void;
  children: ReactNode;
}

/** The frame around every chart: title, copy as CSV and PNG, and the same data as a table for screen readers. */
export function ChartFrame(props: ChartFrameProps) {
  const { title, fileStem, data, note, tools, level = 2, onCopied, children } = props;
  const body = useRef<HTMLDivElement>(null);
  useLayersOutOfTabOrder(body);
  const Heading = level === 2 ? 'h2' : 'h3';

  const copyCsv = async (): Promise<void> => {
    const how = await copyText(toCsv(data), `${fileStem}.csv`);
    onCopied(how === 'copied' ? `“${title}” is on the clipboard as CSV.` : `“${title}” was saved as CSV.`);
  };
  const copyPicture = async (): Promise<void> => {
    const svg = body.current?.querySelector('svg');
    if (!svg) return;
    const how = await copyPng(svg, `${fileStem}.png`);
    onCopied(
      how === 'copied'
        ? `“${title}” is on the clipboard as a picture.`
        : `“${title}” was saved as a picture.`,
    );
  };

  return (
    <figure className="chart">
      <div className="chart-head">
        <Heading>{title}</Heading>
        {tools}
        <div className="chart-tools">
          <Button
            variant="quiet"
            small
            icon={<Table size={14} />}
            aria-label={`Copy ${title} as CSV`}
            onClick={() => void copyCsv()}
          />
          <Button
            variant="quiet"
            small
            icon={<Image size={14} />}
            aria-label={`Copy ${title} as PNG`}
            onClick={() => void copyPicture()}
          />
        </div>
      </div>
      <div className="chart-body" ref={body}>
        {children}
      </div>
      {note && <figcaption className="chart-note">{note}</figcaption>}
      {/* A table itself would not keep to the one pixel, and the page could be scrolled over it. */}
      <div className="sr-only">
        <table>
          <caption>{title}</caption>
          <thead>
            <tr>
              {data.columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.rows.slice(0, 200).map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity of their own here
              <tr key={index}>
                {row.map((cell, at) => (
                  <td key={data.columns[at]}>
                    {typeof cell === 'number' ? formatSignificant(cell) : (cell ?? 'not measured')}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

/**
 * Recharts draws its layers through React portals, whose focus listeners make each of them a stop of the Tab key in
 * Chromium. The marks inside are the stops; the layers are not.
 */
function useLayersOutOfTabOrder(body: RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    const element = body.current;
    if (!element) return;
    const takeOut = (): void => {
      for (const layer of element.querySelectorAll('g[class^="recharts-zIndex-layer"]:not([tabindex])'))
        layer.setAttribute('tabindex', '-1');
    };
    takeOut();
    const observer = new MutationObserver(takeOut);
    observer.observe(element, { childList: true, subtree: true });
    return () => observer.disconnect();
  }, [body]);
}
