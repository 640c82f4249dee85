import { useMemo, useState } from 'react';
import { commandById } from '../../commands/table.ts';
import {
  type CompareRow,
  type Measure,
  measureOf,
  selectCompareRows,
  selectMeasures,
  sourceRowId,
} from '../../state/compare-rows.ts';
import { useProject } from '../../state/project.ts';
import { useView } from '../../state/view.ts';
import { Button, Hollow, Segmented } from '../../ui/blocks.tsx';
import { ChartFrame } from '../../ui/chart-frame.tsx';
import { formatBytes, formatMilliseconds, formatRatio, formatSignificant, plural } from '../../ui/format.ts';
import { comparisonTable, figureTable, latencyNote } from './chart-data.ts';
import { CompareTable } from './compare-table.tsx';
import { measureTitle, writeMeasure } from './measure-words.ts';
import { RatioBars } from './ratio-bars.tsx';
import { SizeQualityScatter } from './scatter-chart.tsx';
import './compare-stage.css';

const measureName: Record<Measure, string> = {
  accuracy: 'Accuracy',
  quality: 'Quality',
  agreement: 'Agreement',
};
const toast = (text: string): void => useView.getState().showToast(text);

/** What each precision gained and what it cost. */
export function CompareStage() {
  const project = useProject((state) => state.project);
  const rows = useMemo(() => selectCompareRows(project), [project]);
  const measures = selectMeasures(rows);
  const [chosen, setChosen] = useState<Measure>();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string): void => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  /** Opens a row and brings it into view. */
  const show = (id: string): void => {
    setOpen(new Set([...open, id]));
    requestAnimationFrame(() =>
      document.querySelector(`[data-row="${CSS.escape(id)}"]`)?.scrollIntoView({ block: 'nearest' }),
    );
  };
  if (!project) return null;
  if (rows.length < 2) {
    return (
      <div className="page">
        <div className="page-head">
          <h1>Compare</h1>
        </div>
        <Hollow
          title="Nothing to compare yet"
          action={<Button onClick={() => useView.getState().goTo('optimize')}>Pick precisions</Button>}
        >
          Run one or more precisions. Their size, quality and latency, measured on the files that leave,
          appear here as each one finishes.
        </Hollow>
      </div>
    );
  }
  const measure = chosen && measures.includes(chosen) ? chosen : measures[0];
  const fileStem = `${project.name}-comparison`;
  // Further points of a search stand in the scatter, where they make a line; bars are for choosing between precisions.
  const named = rows.filter(({ furtherOf }) => furtherOf === undefined);
  const failed = rows.filter((row) => row.failed).length;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Compare</h1>
        <span className="page-note truncate">
          {plural(rows.length - 1, 'result')} against the source{failed > 0 && ` · ${failed} failed`}
        </span>
        <Button variant="primary" onClick={commandById('export').run}>
          Export…
        </Button>
      </div>
      <div className="compare-charts">
        <section className="card compare-scatter" aria-label="Size and quality">
          {measure ? (
            <ChartFrame
              title={`Size × ${measureName[measure].toLowerCase()}`}
              fileStem={fileStem}
              data={comparisonTable(rows)}
              onCopied={toast}
              note={`Dashed line: the best ${measureName[measure].toLowerCase()} for a size. Hollow mark: the source. Below each name: median latency.`}
              tools={
                measures.length > 1 && (
                  <Segmented
                    label="Vertical axis"
                    name="measure"
                    value={measure}
                    options={measures.map((one) => ({ value: one, label: measureName[one] }))}
                    onChange={setChosen}
                  />
                )
              }
            >
              <SizeQualityScatter rows={rows} measure={measure} onPick={show} />
            </ChartFrame>
          ) : (
            <Hollow title="Quality was not measured">
              Without samples there is nothing to compare outputs on. Attach samples and run again.
            </Hollow>
          )}
        </section>
        <div className="card compare-bars">
          <SizeBars rows={named} fileStem={fileStem} />
          {measure && <MeasureBars rows={named} measure={measure} fileStem={fileStem} />}
          <LatencyBars rows={named} fileStem={fileStem} />
        </div>
      </div>
      <CompareTable rows={rows} open={open} onToggle={toggle} onShow={show} />
    </div>
  );
}

interface BarsProps {
  rows: readonly CompareRow[];
  fileStem: string;
}

function SizeBars({ rows, fileStem }: BarsProps) {
  return (
    <ChartFrame
      title="File size"
      level={3}
      fileStem={`${fileStem}-size`}
      data={figureTable(rows, 'size (bytes)', ({ sizeBytes }) => sizeBytes)}
      onCopied={toast}
    >
      <RatioBars
        tick={formatBytes}
        reference={rows[0].sizeBytes}
        bars={rows.map((row) => ({
          row,
          value: row.sizeBytes,
          text: row.sizeBytes === undefined ? '' : formatBytes(row.sizeBytes),
          ratioText:
            row.id === sourceRowId || row.sizeRatio === undefined ? undefined : formatRatio(row.sizeRatio),
        }))}
      />
    </ChartFrame>
  );
}

function MeasureBars({ rows, measure, fileStem }: BarsProps & { measure: Measure }) {
  // The source has no error against itself: a bar for it would say nothing.
  const shown = measure === 'accuracy' ? rows : rows.filter(({ artifact }) => artifact);
  return (
    <ChartFrame
      title={measureTitle[measure]}
      level={3}
      fileStem={`${fileStem}-${measure}`}
      data={figureTable(shown, measureTitle[measure], (row) => measureOf(row, measure))}
      onCopied={toast}
    >
      <RatioBars
        tick={(value) => formatSignificant(measure === 'quality' ? value : value * 100)}
        reference={measure === 'accuracy' ? rows[0].accuracy : undefined}
        bars={shown.map((row) => {
          const value = measureOf(row, measure);
          return { row, value, text: value === undefined ? '' : writeMeasure(measure, value) };
        })}
      />
    </ChartFrame>
  );
}

function LatencyBars({ rows, fileStem }: BarsProps) {
  return (
    <ChartFrame
      title="Median latency"
      level={3}
      fileStem={`${fileStem}-latency`}
      data={figureTable(rows, 'median latency (ms)', ({ latency }) => latency?.medianMs)}
      note={latencyNote(rows)}
      onCopied={toast}
    >
      <RatioBars
        tick={formatMilliseconds}
        reference={rows[0].latency?.medianMs}
        bars={rows.map((row) => ({
          row,
          value: row.latency?.medianMs,
          text: row.latency ? formatMilliseconds(row.latency.medianMs) : '',
          ratioText:
            row.id === sourceRowId || row.latencyRatio === undefined
              ? undefined
              : formatRatio(row.latencyRatio),
        }))}
      />
    </ChartFrame>
  );
}
