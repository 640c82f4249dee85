import { Check, X } from 'lucide-react';
import type { GateView } from '../../core/contract/views.ts';

/** The checks of a written file, each with its verdict and what was found. */
export function Gates({ gates }: { gates: readonly GateView[] }) {
  return (
    <ul>
      {gates.map(({ id, ok, detail }) => (
        <li key={id} className="marked-line">
          {ok ? (
            <Check size={13} color="var(--ok)" aria-label="passed" />
          ) : (
            <X size={13} color="var(--danger)" aria-label="failed" />
          )}
          <span>
            {id}: <span className="muted">{detail}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
