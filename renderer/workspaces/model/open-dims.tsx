import { useState } from 'react';
import type { ModelView } from '../../../core/contract/views.ts';
import { settleInputs } from '../../state/actions/project.ts';
import { Button } from '../../ui/blocks.tsx';
import { dimKey, openDims, parseDim, settledShapes, suggestDim, typeDim } from './shapes.ts';

/** Asks for the sizes that the file leaves open; exported files have fixed ones. */
export function OpenDims({ projectId, model }: { projectId: string; model: ModelView }) {
  const inputs = model.source.inputs;
  const dims = openDims(inputs);
  const [typed, setTyped] = useState<Record<string, string>>(() =>
    Object.fromEntries(dims.map((dim) => [dimKey(dim), suggestDim(dim)])),
  );
  const shapes = settledShapes(inputs, typed);
  return (
    <form
      className="card"
      aria-label="Open dimensions"
      onSubmit={(event) => {
        event.preventDefault();
        if (shapes) void settleInputs(projectId, { shapes });
      }}
    >
      <div className="card-title">
        <h2>Open dimensions</h2>
      </div>
      <p className="muted small" style={{ marginBottom: 8 }}>
        The file leaves these sizes open. Devices want fixed ones: give each a value, or attach samples, which
        settle them.
      </p>
      {dims.map((dim) => {
        const key = dimKey(dim);
        const value = typed[key] ?? '';
        return (
          <div key={key} className="dims-row">
            <label htmlFor={`dim-${key}`} className="truncate">
              <code>{key}</code> <span className="muted">{dim.name}</span>
            </label>
            <input
              id={`dim-${key}`}
              className="input num"
              inputMode="numeric"
              value={value}
              aria-invalid={value !== '' && parseDim(value) === undefined}
              onChange={(event) => setTyped(typeDim(typed, dims, dim, event.target.value))}
            />
          </div>
        );
      })}
      {dims.length === 0 && (
        <ul>
          {model.graph.dynamicDims.map((dim) => (
            <li key={dim} className="mono small">
              {dim}
            </li>
          ))}
        </ul>
      )}
      <Button
        type="submit"
        variant="primary"
        blocked={shapes ? undefined : 'Give every open dimension a whole number from 1'}
      >
        Set shapes
      </Button>
    </form>
  );
}
