import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Override, Recipe } from '../../../core/contract/views.ts';
import { OperatorLink } from '../../parts/operator-link.tsx';
import { loadOperators } from '../../state/actions/model.ts';
import { editRecipe } from '../../state/actions/recipe.ts';
import { calibrationNames } from '../../state/change-words.ts';
import { overridablePrecisions } from '../../state/overrides.ts';
import { useProject } from '../../state/project.ts';
import { precisionLook } from '../../theme/precision.ts';
import { Button } from '../../ui/blocks.tsx';
import { PrecisionMark } from '../../ui/marker.tsx';

/** Operators with choices of their own: what the recipe says of them, and one more by name or pattern. */
export function OverridesCard({ recipe }: { recipe: Recipe }) {
  const { overrides } = recipe;
  const remove = (at: number): void =>
    editRecipe(
      { overrides: overrides.filter((_, index) => index !== at) },
      'operator’s own precision removed',
    );
  return (
    <section className="card" aria-label="Precision by operator">
      <div className="card-title">
        <h2>Precision by operator</h2>
      </div>
      {overrides.length === 0 ? (
        <p className="muted small">
          Every operator takes the precision of its file. Give one its own here, in the graph, or where
          Compare shows its error.
        </p>
      ) : (
        <ul className="overrides">
          {overrides.map((override, index) => (
            <li key={`${override.match}|${override.op}|${override.precision}|${override.calibration}`}>
              {override.precision ? <PrecisionMark precision={override.precision} /> : <span />}
              <span className="truncate">
                <OverrideName override={override} />
              </span>
              <span>{overrideText(override)}</span>
              <Button
                variant="quiet"
                small
                icon={<X size={13} />}
                aria-label={`Remove ${override.match ?? override.op}`}
                onClick={() => remove(index)}
              />
            </li>
          ))}
        </ul>
      )}
      <AddOverride overrides={overrides} />
    </section>
  );
}

function OverrideName({ override: { match, op } }: { override: Override }) {
  const isPattern = match === undefined || /[*?]/.test(match);
  return (
    <>
      {op && `every ${op} `}
      {match !== undefined && (isPattern ? <code>{match}</code> : <OperatorLink name={match} />)}
    </>
  );
}

function overrideText({ precision, calibration }: Override): string {
  const parts: string[] = [];
  if (precision) parts.push(precision === 'float32' ? 'keep float32' : precisionLook[precision].name);
  if (calibration) parts.push(`range by ${calibrationNames[calibration]}`);
  return parts.join(', ');
}

function AddOverride({ overrides }: { overrides: readonly Override[] }) {
  const operators = useProject((state) => state.operators);
  const [match, setMatch] = useState('');
  const [precision, setPrecision] = useState<(typeof overridablePrecisions)[number]>('float32');
  useEffect(() => {
    void loadOperators();
  }, []);
  const named =
    operators && match !== '' ? operators.filter(({ name }) => matches(match, name)).length : undefined;
  return (
    <form
      className="override-add"
      aria-label="Add an operator"
      onSubmit={(event) => {
        event.preventDefault();
        editRecipe({ overrides: [...overrides, { match, precision }] }, `${match} in ${precision}`);
        setMatch('');
      }}
    >
      <input
        className="input mono"
        aria-label="Name or pattern"
        placeholder="name, or a pattern: block_1/*"
        list="override-names"
        value={match}
        spellCheck={false}
        onChange={(event) => setMatch(event.target.value.trim())}
      />
      <datalist id="override-names">
        {operators?.slice(0, mostOffered).map(({ name, op }) => (
          <option key={name} value={name}>
            {op}
          </option>
        ))}
      </datalist>
      <select
        className="input"
        aria-label="Precision"
        value={precision}
        onChange={(event) =>
          setPrecision(overridablePrecisions.find((one) => one === event.target.value) ?? precision)
        }
      >
        {overridablePrecisions.map((one) => (
          <option key={one} value={one}>
            {one === 'float32' ? 'keep float32' : precisionLook[one].name}
          </option>
        ))}
      </select>
      <Button
        type="submit"
        blocked={match === '' ? 'Name an operator' : named === 0 ? 'No operator is called so' : undefined}
      >
        Add
      </Button>
      <span className="muted small" role="status">
        {named !== undefined && `${named} of ${operators?.length ?? 0} operators`}
      </span>
    </form>
  );
}

const mostOffered = 200;

/** As the core reads it: `*` stands for any characters, `?` for one. */
function matches(pattern: string, name: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su').test(name);
}
