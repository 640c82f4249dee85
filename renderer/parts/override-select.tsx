import { useId } from 'react';
import { setOverride } from '../state/actions/recipe.ts';
import { overridablePrecisions, overrideOf } from '../state/overrides.ts';
import { useProject } from '../state/project.ts';
import { precisionLook } from '../theme/precision.ts';

/** Gives one operator a precision of its own in the recipe, or takes it away again. */
export function OverrideSelect({ name }: { name: string }) {
  const id = useId();
  const overrides = useProject((state) => state.project?.recipe.overrides ?? []);
  const current = overrideOf(overrides, name)?.precision ?? '';
  return (
    <div className="override-select">
      <label htmlFor={id}>In the next run</label>
      <select
        id={id}
        className="input"
        value={current}
        onChange={(event) =>
          setOverride(
            name,
            overridablePrecisions.find((one) => one === event.target.value),
          )
        }
      >
        <option value="">as the file</option>
        {overridablePrecisions.map((precision) => (
          <option key={precision} value={precision}>
            {precision === 'float32' ? 'keep float32' : precisionLook[precision].name}
          </option>
        ))}
      </select>
    </div>
  );
}
