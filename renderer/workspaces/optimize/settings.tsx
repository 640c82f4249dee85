import { onnxForms } from '../../../core/contract/choices.ts';
import {
  type Calibration,
  calibrations,
  type IoType,
  type OnnxForm,
  type OutputFormat,
  type Precision,
  type Recipe,
} from '../../../core/contract/views.ts';
import { editRecipe } from '../../state/actions/recipe.ts';
import { calibrationNames } from '../../state/change-words.ts';
import { formatName } from '../../theme/precision.ts';
import { Check, Field, Segmented } from '../../ui/blocks.tsx';
import { formatBytes, formatInteger } from '../../ui/format.ts';
import { NumberInput } from '../../ui/number-input.tsx';

const onnxFormNames: Record<OnnxForm, string> = {
  auto: 'automatic',
  s8s8: 'signed (S8S8)',
  u8s8: 'unsigned activations (U8S8)',
  'u8s8-reduced': 'U8S8, weights of 7 bits',
  tensorrt: 'for TensorRT',
};

const recoveryHints: Record<Recipe['recovery'], string> = {
  off: 'Plain rounding.',
  fast: 'Corrects biases and fits weights to what calibration saw.',
  auto: 'Tries every step on samples held back; takes two to four times as long.',
};

const onnxFormHints: Record<OnnxForm, string> = {
  auto: 'Weights of 7 bits where products saturate here, else S8S8.',
  s8s8: 'For ARM, and x86 with VNNI.',
  u8s8: 'For x86 with VNNI.',
  'u8s8-reduced': 'For x86 without VNNI, which adds products in 16 bits.',
  tensorrt: 'Symmetric, with borders where TensorRT fuses across them.',
};

/** The few settings that matter, the rest behind "More". */
export function Settings({
  recipe,
  samples,
  memoryBytes,
}: {
  recipe: Recipe;
  samples?: number;
  memoryBytes?: number;
}) {
  const attached =
    samples === undefined ? 'No samples are attached.' : `${formatInteger(samples)} are attached.`;
  const picked = (precision: Precision): boolean => recipe.precisions.includes(precision);
  const usesIntegers = picked('int8') || picked('int16x8');
  const toggleFormat = (format: OutputFormat, on: boolean): void => {
    const formats = on ? [...recipe.formats, format] : recipe.formats.filter((one) => one !== format);
    if (formats.length > 0) editRecipe({ formats }, 'output format');
  };
  return (
    <section className="card settings" aria-label="Settings">
      <div className="card-title">
        <h2>Settings</h2>
      </div>
      <Field label="Inputs and outputs" hint={usesIntegers ? undefined : 'For int8 and int16x8 only.'}>
        <Segmented<IoType>
          label="Inputs and outputs"
          name="io"
          value={recipe.io}
          disabled={!usesIntegers}
          options={[
            { value: 'float32', label: 'float32' },
            { value: 'int8', label: 'int8', blocked: picked('int8') ? undefined : 'For int8 only' },
            { value: 'uint8', label: 'uint8', blocked: picked('int8') ? undefined : 'For int8 only' },
            { value: 'int16', label: 'int16', blocked: picked('int16x8') ? undefined : 'For int16x8 only' },
          ]}
          onChange={(io) => editRecipe({ io }, 'I/O type')}
        />
      </Field>
      <Field
        label="Samples for calibration"
        id="set-samples"
        hint={
          memoryBytes === undefined
            ? attached
            : `${attached} A run takes about ${formatBytes(memoryBytes)} of memory, however many.`
        }
      >
        <NumberInput
          id="set-samples"
          value={recipe.samples}
          min={1}
          onChange={(value) =>
            value !== undefined && editRecipe({ samples: value }, 'sample count', 'samples')
          }
        />
      </Field>
      <Field label="Calibration" id="set-calibration">
        <select
          id="set-calibration"
          className="input"
          value={recipe.calibration}
          onChange={(event) => editRecipe({ calibration: event.target.value as Calibration }, 'calibration')}
        >
          {calibrations.map((one) => (
            <option key={one} value={one}>
              {calibrationNames[one]}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Recovery" hint={recoveryHints[recipe.recovery]}>
        <Segmented
          label="Recovery"
          name="recovery"
          value={recipe.recovery}
          options={[
            { value: 'off', label: 'off' },
            { value: 'fast', label: 'fast' },
            { value: 'auto', label: 'auto' },
          ]}
          onChange={(recovery) => editRecipe({ recovery }, 'recovery')}
        />
      </Field>
      <Field label="Formats">
        <div className="settings-checks">
          {(['tflite', 'onnx'] as const).map((format) => (
            <Check
              key={format}
              checked={recipe.formats.includes(format)}
              disabled={recipe.formats.length === 1 && recipe.formats[0] === format}
              onChange={(on) => toggleFormat(format, on)}
            >
              {formatName[format]}
            </Check>
          ))}
        </div>
      </Field>
      <MoreSettings recipe={recipe} />
    </section>
  );
}

function MoreSettings({ recipe }: { recipe: Recipe }) {
  return (
    <details>
      <summary>More</summary>
      <div>
        <Field label="Layout of image inputs">
          <Segmented
            label="Layout of image inputs"
            name="layout"
            value={recipe.layout}
            options={[
              { value: 'nhwc', label: 'NHWC' },
              { value: 'keep', label: 'as the source' },
            ]}
            onChange={(layout) => editRecipe({ layout }, 'layout')}
          />
        </Field>
        <Check
          checked={recipe.pureInteger}
          onChange={(pureInteger) => editRecipe({ pureInteger }, 'pure integer')}
        >
          Integers throughout, a final softmax too (Edge TPU, microcontrollers)
        </Check>
        {recipe.formats.includes('onnx') && (
          <Field label="Form of integer ONNX" id="set-onnx-form" hint={onnxFormHints[recipe.onnxForm]}>
            <select
              id="set-onnx-form"
              className="input"
              value={recipe.onnxForm}
              onChange={(event) =>
                editRecipe({ onnxForm: event.target.value as OnnxForm }, 'form of integer ONNX')
              }
            >
              {onnxForms.map((form) => (
                <option key={form} value={form}>
                  {onnxFormNames[form]}
                </option>
              ))}
            </select>
          </Field>
        )}
        {recipe.precisions.includes('auto') && (
          <Field label="What the search makes least">
            <Segmented
              label="What the search makes least"
              name="objective"
              value={recipe.objective}
              options={[
                { value: 'smallest', label: 'size' },
                { value: 'fastest', label: 'latency' },
              ]}
              onChange={(objective) => editRecipe({ objective }, 'objective of the search')}
            />
          </Field>
        )}
        <Field label="Largest accuracy drop, percentage points" id="set-drop" hint="Empty: no budget.">
          <NumberInput
            id="set-drop"
            value={recipe.maxDropPercent}
            min={0}
            fractional
            onChange={(maxDropPercent) => editRecipe({ maxDropPercent }, 'accuracy budget', 'drop')}
          />
        </Field>
        <Field label="Largest size, bytes" id="set-size" hint="Empty: no budget.">
          <NumberInput
            id="set-size"
            value={recipe.maxSizeBytes}
            min={1}
            onChange={(maxSizeBytes) => editRecipe({ maxSizeBytes }, 'size budget', 'size')}
          />
        </Field>
        <Field label="Seed" id="set-seed" hint="The same seed and inputs give the same bytes.">
          <NumberInput
            id="set-seed"
            value={recipe.seed}
            min={0}
            onChange={(seed) => seed !== undefined && editRecipe({ seed }, 'seed', 'seed')}
          />
        </Field>
      </div>
    </details>
  );
}
