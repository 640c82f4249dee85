import { useState } from 'react';
import type { ModelView, ProjectView } from '../../../core/contract/views.ts';
import { settleInputs } from '../../state/actions/project.ts';
import { Button } from '../../ui/blocks.tsx';
import { formatShape } from '../../ui/format.ts';
import { fixedValues, parseValue, settingInputs, valueText } from './fixed-values.ts';

/** Gives inputs that hold a setting their value for good: exported files do not have them any more. */
export function FixedInputs({ project, model }: { project: ProjectView; model: ModelView }) {
  const settings = settingInputs(model);
  const saved = project.recipe.fixed;
  const [typed, setTyped] = useState<Record<string, string>>(() =>
    Object.fromEntries(Object.entries(saved).map(([name, value]) => [name, valueText(value)])),
  );
  if (settings.length === 0) return null;
  const fixed = fixedValues(typed);
  const isSaved = JSON.stringify(fixed) === JSON.stringify(saved);
  return (
    <form
      className="card"
      aria-label="Fixed inputs"
      onSubmit={(event) => {
        event.preventDefault();
        if (fixed) void settleInputs(project.id, { fixed });
      }}
    >
      <div className="card-title">
        <h2>Fixed inputs</h2>
      </div>
      <p className="muted small" style={{ marginBottom: 8 }}>
        An input that holds a setting can be given its value for good: what depends on it is worked out once,
        and exported files lack it.
      </p>
      {settings.map(({ name, dtype, shape }) => {
        const value = typed[name] ?? '';
        return (
          <div key={name} className="dims-row">
            <label htmlFor={`fixed-${name}`} className="truncate">
              <code>{name}</code>{' '}
              <span className="muted">
                {dtype} {formatShape(shape)}
              </span>
            </label>
            <input
              id={`fixed-${name}`}
              className="input num"
              placeholder="left open"
              value={value}
              aria-invalid={value.trim() !== '' && parseValue(value) === undefined}
              onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
            />
          </div>
        );
      })}
      <Button
        type="submit"
        variant="primary"
        blocked={
          fixed === undefined
            ? 'Give numbers, between commas where there are several'
            : isSaved
              ? 'The model was read with these values'
              : undefined
        }
      >
        Fix values
      </Button>
    </form>
  );
}
