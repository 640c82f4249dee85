import type { DynamicView } from '../../../core/contract/views.ts';
import { OperatorLink } from '../../parts/operator-link.tsx';

/** Rows shown; of more only the number is told. */
const shownAtMost = 12;

/** Which operators need the open dimensions of the file fixed. Exported files have fixed ones in any case. */
export function DynamicStops({ dynamic }: { dynamic: DynamicView }) {
  const { dims, stops, isKnown } = dynamic;
  if (!isKnown) return null;
  return (
    <section className="card" aria-label="Dynamic shapes">
      <div className="card-title">
        <h2>Dynamic shapes</h2>
        <span className="muted small num">{dims.length}</span>
      </div>
      <p className="muted small" style={{ marginBottom: 8 }}>
        {stops.length === 0
          ? 'No operator needs the sizes that the file leaves open to be fixed. Exported files fix them.'
          : 'These operators need the sizes that the file leaves open to be fixed:'}
      </p>
      <ul>
        {stops.slice(0, shownAtMost).map(({ node, op, reason }) => (
          <li key={node} className="small truncate" title={reason}>
            <OperatorLink name={node} /> <span className="muted">{op}</span>
          </li>
        ))}
      </ul>
      {stops.length > shownAtMost && <p className="muted small">and {stops.length - shownAtMost} more</p>}
    </section>
  );
}
