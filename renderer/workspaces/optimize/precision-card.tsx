import { Check, CircleAlert, Database, LoaderCircle, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { CompareRow } from '../../state/compare-rows.ts';
import { places, precisionLook } from '../../theme/precision.ts';
import { Chip, classes, Figure } from '../../ui/blocks.tsx';
import { formatBytes, formatDecibels, formatRatio } from '../../ui/format.ts';
import { PrecisionMark } from '../../ui/marker.tsx';
import type { CardEstimate } from './cards.ts';

interface PrecisionCardProps {
  estimate: CardEstimate;
  sourceBytes: number;
  picked: boolean;
  hasSamples: boolean;
  running: boolean;
  results: readonly CompareRow[];
  onPick: (picked: boolean) => void;
}

export function PrecisionCard(props: PrecisionCardProps) {
  const { estimate, sourceBytes, picked, running, onPick } = props;
  const { precision, sizeBytes } = estimate;
  const look = precisionLook[precision];
  return (
    <label className={classes('precision', picked && 'on')} data-precision={precision}>
      <span className="precision-head">
        <PrecisionMark precision={precision} size={14} />
        <span>{look.name}</span>
        {running && (
          <LoaderCircle className="state-running" size={14} color="var(--accent)" aria-label="running" />
        )}
        <input
          type="checkbox"
          aria-label={look.name}
          checked={picked}
          onChange={(event) => onPick(event.target.checked)}
        />
      </span>
      <span className="precision-purpose">{look.purpose}</span>
      <span className="precision-size">
        <Figure
          value={sizeBytes === undefined ? undefined : formatBytes(sizeBytes)}
          missing="The core has not estimated the size yet"
          est
        />
        {sizeBytes !== undefined && sourceBytes > 0 && (
          <span className="muted small num">{formatRatio(sizeBytes / sourceBytes)}</span>
        )}
      </span>
      <span className="precision-places">
        {places.map((place) => (
          <Chip
            key={place}
            tone={look.runsOn.includes(place) ? undefined : 'off'}
            title={look.runsOn.includes(place) ? `Runs on ${place}` : `Does not run on ${place}`}
          >
            {place}
          </Chip>
        ))}
      </span>
      <CardFoot {...props} />
    </label>
  );
}

/** The line at the foot: the last result, else what stands in the way, else what it needs. */
function CardFoot({ estimate, hasSamples, results }: PrecisionCardProps) {
  // Of several files in one precision, one that passed says more than one that did not.
  const last = results.findLast(({ failed }) => !failed) ?? results.at(-1);
  if (last?.failed) {
    const reason = last.artifact?.error?.message ?? last.artifact?.gates.find(({ ok }) => !ok)?.detail;
    return (
      <Foot icon={<CircleAlert size={13} color="var(--danger)" aria-hidden />}>
        {`Failed${reason ? `: ${reason}` : ''}`}
      </Foot>
    );
  }
  if (last) {
    return (
      <Foot icon={<Check size={13} color="var(--ok)" aria-hidden />}>
        <span className="num">
          {last.sizeRatio !== undefined && formatRatio(last.sizeRatio)}
          {last.sqnrDb !== undefined && ` · ${formatDecibels(last.sqnrDb)}`}
        </span>
      </Foot>
    );
  }
  if (estimate.blocked)
    return (
      <Foot icon={<TriangleAlert size={13} color="var(--warning)" aria-hidden />}>{estimate.blocked}</Foot>
    );
  return (
    <Foot icon={<Database size={13} aria-hidden />}>
      {estimate.needsSamples ? (hasSamples ? 'Uses samples' : 'Needs samples') : 'Without samples'}
    </Foot>
  );
}

function Foot({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <span className="precision-foot">
      {icon}
      <span title={typeof children === 'string' ? children : undefined}>{children}</span>
    </span>
  );
}
