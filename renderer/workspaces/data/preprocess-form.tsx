import { type InputHTMLAttributes, useState } from 'react';
import type { Preprocess } from '../../../core/contract/views.ts';
import { setPreprocess } from '../../state/actions/data.ts';
import { Button, Field, Segmented } from '../../ui/blocks.tsx';
import { fromDraft, ranges, toDraft } from './preprocess.ts';

/** How pictures become what the network sees. Applied together, so that the sheet is not prepared at every letter. */
export function PreprocessForm({ preprocess }: { preprocess: Preprocess }) {
  const [draft, setDraft] = useState(() => toDraft(preprocess));
  const change = (part: Partial<typeof draft>): void => setDraft({ ...draft, ...part });
  const { preprocess: ready, problems } = fromDraft(draft);
  const isChanged = JSON.stringify(draft) !== JSON.stringify(toDraft(preprocess));
  const problem = problems.size ?? problems.mean ?? problems.scale;
  return (
    <form
      className="card data-form"
      aria-label="Preprocessing"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && isChanged) void setPreprocess(ready);
      }}
    >
      <h2>Preprocessing</h2>
      <div className="data-pair">
        <TextField
          label="Height"
          id="pre-height"
          inputMode="numeric"
          placeholder="as the model"
          value={draft.height}
          isWrong={problems.size !== undefined}
          onChange={(height) => change({ height })}
        />
        <TextField
          label="Width"
          id="pre-width"
          inputMode="numeric"
          placeholder="as the model"
          value={draft.width}
          isWrong={problems.size !== undefined}
          onChange={(width) => change({ width })}
        />
      </div>
      <Field label="Fit" inline>
        <Segmented
          label="Fit"
          name="pre-fit"
          value={draft.fit}
          options={[
            { value: 'stretch', label: 'stretch' },
            { value: 'crop', label: 'crop' },
            { value: 'pad', label: 'pad' },
          ]}
          onChange={(fit) => change({ fit })}
        />
      </Field>
      <Field label="Colour" inline>
        <Segmented
          label="Colour"
          name="pre-colour"
          value={draft.colour}
          options={[
            { value: 'rgb', label: 'RGB' },
            { value: 'bgr', label: 'BGR' },
            { value: 'grey', label: 'grey' },
          ]}
          onChange={(colour) => change({ colour })}
        />
      </Field>
      <Field label="Value range" id="pre-range" inline>
        <select
          id="pre-range"
          className="input"
          value={ranges.find(({ mean, scale }) => mean === draft.mean && scale === draft.scale)?.name ?? ''}
          onChange={(event) => {
            const range = ranges.find(({ name }) => name === event.target.value);
            if (range) change({ mean: range.mean, scale: range.scale });
          }}
        >
          <option value="">own mean and scale</option>
          {ranges.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </Field>
      <div className="data-pair">
        <TextField
          label="Mean"
          id="pre-mean"
          value={draft.mean}
          isWrong={problems.mean !== undefined}
          onChange={(mean) => change({ mean })}
        />
        <TextField
          label="Scale"
          id="pre-scale"
          value={draft.scale}
          isWrong={problems.scale !== undefined}
          onChange={(scale) => change({ scale })}
        />
      </div>
      <Field label="Layout">
        <Segmented
          label="Layout"
          name="pre-layout"
          value={draft.layout}
          options={[
            { value: 'model', label: 'as the model' },
            { value: 'NHWC', label: 'NHWC' },
            { value: 'NCHW', label: 'NCHW' },
          ]}
          onChange={(layout) => change({ layout })}
        />
      </Field>
      <p className="small muted">{problem ?? 'x′ = (x − mean) ÷ scale, with x from 0 to 255.'}</p>
      <Button type="submit" blocked={problem ?? (isChanged ? undefined : 'Nothing was changed')}>
        Apply preprocessing
      </Button>
    </form>
  );
}

interface TextFieldProps extends Pick<InputHTMLAttributes<HTMLInputElement>, 'inputMode' | 'placeholder'> {
  label: string;
  id: string;
  value: string;
  isWrong: boolean;
  onChange: (value: string) => void;
}

function TextField({ label, id, isWrong, onChange, ...rest }: TextFieldProps) {
  return (
    <Field label={label} id={id}>
      <input
        {...rest}
        id={id}
        className="input num"
        aria-invalid={isWrong}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  );
}
