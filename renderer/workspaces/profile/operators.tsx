import { useState } from 'react';
import type { PerOp } from '../../../core/contract/views.ts';
import { OperatorLink } from '../../parts/operator-link.tsx';
import { useView } from '../../state/view.ts';
import { precisionLook } from '../../theme/precision.ts';
import { Figure, Segmented } from '../../ui/blocks.tsx';
import { ChartFrame } from '../../ui/chart-frame.tsx';
import { formatMilliseconds, formatPercent, formatSignificant } from '../../ui/format.ts';
import { shortenedNames } from '../../ui/names.ts';
import { VirtualList } from '../../ui/virtual-list.tsx';
import type { StripRow } from './distribution-strip.tsx';
import { PerOpBars, rankOperators } from './per-op-bars.tsx';
import { Roofline } from './roofline.tsx';

type View = 'bars' | 'table' | 'roofline';

/** Where the time of one file goes: as bars, as a table of all operators, or against the roofline of the machine. */
export function Operators({ row, fileStem }: { row: StripRow; fileStem: string }) {
  const { name, precision, profile, setting } = row;
  const [view, setView] = useState<View>('bars');
  const { perOp = [], roofline } = profile;
  const options: { value: View; label: string }[] = [
    { value: 'bars', label: 'Bars' },
    { value: 'table', label: 'Table' },
  ];
  if (roofline) options.push({ value: 'roofline', label: 'Roofline' });
  return (
    <section className="card" aria-label={`Operators of ${name}`}>
      <ChartFrame
        title={`Operators of ${name}`}
        fileStem={`${fileStem}-operators`}
        data={operatorTable(perOp)}
        note={
          view === 'roofline' && roofline
            ? `Peaks of this machine: ${roofline.how}`
            : `${setting}. Timing each operator adds to the whole.`
        }
        onCopied={(text) => useView.getState().showToast(text)}
        tools={
          <Segmented<View>
            label={`Show the operators of ${name} as`}
            name={`operators-${row.key}`}
            value={view}
            options={options}
            onChange={setView}
          />
        }
      >
        {view === 'bars' && <PerOpBars operators={perOp} precision={precision} />}
        {view === 'table' && <OperatorTable operators={perOp} />}
        {view === 'roofline' && roofline && (
          <Roofline operators={perOp} roofline={roofline} colour={precisionLook[precision].colour} />
        )}
      </ChartFrame>
    </section>
  );
}

function operatorTable(perOp: readonly PerOp[]) {
  return {
    columns: [
      'operator',
      'type',
      'time (ms)',
      'calls',
      'share',
      'runs on',
      'kernel',
      'MACs',
      'bytes',
      'GFLOP/s',
      'GB/s',
      'of roof',
    ],
    rows: perOp.map((one) => [
      one.name,
      one.op,
      one.ms,
      one.calls,
      one.share,
      one.runsOn,
      one.kernel,
      one.macs,
      one.bytes,
      one.gflopPerS,
      one.gbPerS,
      one.ofRoof,
    ]),
  };
}

const rowHeight = 24;
const tableHeight = 16 * rowHeight;

/** All operators, the slowest first. */
function OperatorTable({ operators }: { operators: readonly PerOp[] }) {
  const ranked = rankOperators(operators, operators.length);
  const shownName = shortenedNames(operators.map(({ name }) => name));
  return (
    <div className="op-table">
      <div className="op-table-row op-table-head" aria-hidden>
        <span>Operator</span>
        <span>Runs on</span>
        <span className="right">Time</span>
        <span className="right">Σ</span>
        <span className="right">GFLOP/s</span>
        <span className="right">GB/s</span>
      </div>
      <VirtualList
        items={ranked}
        rowHeight={rowHeight}
        maxHeight={tableHeight}
        label="Operators, the slowest first"
        keyOf={({ name }, index) => `${name}${index}`}
      >
        {({ name, op, ms, cumulative, runsOn, kernel, gflopPerS, gbPerS, bound, ofRoof }) => (
          <div className="op-table-row">
            <span className="op-name" title={`${op} ${name}`}>
              {op} {runsOn === undefined ? name : <OperatorLink name={name} shown={shownName(name)} />}
            </span>
            <span className="truncate muted" title={kernel}>
              {runsOn ?? ''}
            </span>
            <span className="right num">{formatMilliseconds(ms)}</span>
            <span className="right num muted">{formatPercent(cumulative)}</span>
            <span
              className="right num"
              title={
                bound === 'compute' && ofRoof !== undefined
                  ? `${formatPercent(ofRoof)} of what this machine computes`
                  : undefined
              }
            >
              <Figure
                value={gflopPerS === undefined ? undefined : formatSignificant(gflopPerS)}
                missing="It multiplies nothing, or its shapes are not known"
              />
            </span>
            <span
              className="right num"
              title={
                bound === 'memory' && ofRoof !== undefined
                  ? `${formatPercent(ofRoof)} of what this machine’s memory gives`
                  : undefined
              }
            >
              <Figure
                value={gbPerS === undefined ? undefined : formatSignificant(gbPerS)}
                missing="Its tensors are not known"
              />
            </span>
          </div>
        )}
      </VirtualList>
    </div>
  );
}
