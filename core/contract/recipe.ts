import * as z from 'zod';
import {
  calibrations,
  ioTypes,
  objectives,
  onnxForms,
  outputFormats,
  precisions,
  recoveries,
} from './choices.ts';

/** The choices of a run, as data. */

export const Precision = z.enum(precisions);
export type Precision = z.infer<typeof Precision>;

export const IoType = z.enum(ioTypes);
export type IoType = z.infer<typeof IoType>;

export const OutputFormat = z.enum(outputFormats);
export type OutputFormat = z.infer<typeof OutputFormat>;

/** How raw samples become what the network sees. All optional steps are off where the field is left out. */
export const Preprocess = z.object({
  /** Target size `[height, width]`; taken from the model's input when left out. */
  size: z.tuple([z.number().int().positive(), z.number().int().positive()]).optional(),
  fit: z.enum(['stretch', 'crop', 'pad']).default('stretch'),
  colour: z.enum(['rgb', 'bgr', 'grey']).default('rgb'),
  /** x' = (x − mean) ÷ scale with x in 0…255; per channel or one for all. */
  mean: z.array(z.number()).default([0]),
  scale: z.array(z.number()).default([1]),
  layout: z.enum(['NHWC', 'NCHW']).optional(),
});
export type Preprocess = z.infer<typeof Preprocess>;

export const Calibration = z.enum(calibrations);
export type Calibration = z.infer<typeof Calibration>;

/** Other choices for some operators of every plan: those that both `match` and `op` name, where both are given. */
export const Override = z
  .strictObject({
    /** Name of an operator or of its result; `*` stands for any characters, `?` for one. */
    match: z.string().min(1).optional(),
    /** What the operator is, as the graph shows it (`Conv`, `Softmax`); `*` and `?` as above. */
    op: z.string().min(1).optional(),
    /** `float32` keeps the operator as it is. */
    precision: Precision.exclude(['auto']).optional(),
    /** How the range of the operator's results is found. With `match` it may also name an input of the model. */
    calibration: Calibration.optional(),
  })
  .refine(({ match, op }) => match !== undefined || op !== undefined, 'names neither match nor op')
  .refine(
    ({ precision, calibration }) => precision !== undefined || calibration !== undefined,
    'chooses neither precision nor calibration',
  );
export type Override = z.infer<typeof Override>;

export const OnnxForm = z.enum(onnxForms);
export type OnnxForm = z.infer<typeof OnnxForm>;

export const Shapes = z.record(z.string(), z.array(z.number().int().positive()));

export const FixedValues = z.record(z.string(), z.union([z.number(), z.array(z.number()).min(1)]));
export type FixedValues = z.infer<typeof FixedValues>;

/** All choices of one run. The same recipe on the same inputs gives byte-identical files. */
export const Recipe = z.object({
  schema: z.literal('whittle.recipe/1').default('whittle.recipe/1'),
  precisions: z.array(Precision).default(['float32', 'float16', 'int8']),
  io: IoType.default('float32'),
  formats: z.array(OutputFormat).default(['tflite']),
  layout: z.enum(['nhwc', 'keep']).default('nhwc'),
  samples: z.number().int().positive().default(100),
  calibration: Calibration.default('minmax'),
  seed: z.number().int().default(0),
  /** Concrete shapes by input name, for open dimensions. */
  shapes: Shapes.default({}),
  /** Values of inputs that become constants, by input name: one number for all elements, or all in row-major order. */
  fixed: FixedValues.default({}),
  preprocess: Preprocess.optional(),
  /** Keep every operator in integers, a final softmax too: for Edge TPU and microcontrollers. */
  pureInteger: z.boolean().default(false),
  /** Applied in order to every plan; where several name one operator, the last one counts. */
  overrides: z.array(Override).default([]),
  /** Form of integer ONNX files. A report names the form that `auto` came to. */
  onnxForm: OnnxForm.default('auto'),
  recovery: z.enum(recoveries).default('fast'),
  /** What `auto` makes least among the files that lose no more than was allowed. */
  objective: z.enum(objectives).default('smallest'),
  maxDropPercent: z.number().optional(),
  maxSizeBytes: z.number().optional(),
});
export type Recipe = z.infer<typeof Recipe>;

/** What of a recipe is to be another for one more file; the rest stays as that of the file it starts from. */
export const RecipeChange = z.object({
  precision: Precision.optional(),
  io: IoType.optional(),
  format: OutputFormat.optional(),
  layout: z.enum(['nhwc', 'keep']).optional(),
  pureInteger: z.boolean().optional(),
  calibration: Calibration.optional(),
  samples: z.number().int().positive().optional(),
  onnxForm: OnnxForm.optional(),
  /** Added behind those that are there. */
  overrides: z.array(Override).optional(),
});
export type RecipeChange = z.infer<typeof RecipeChange>;

/** Something that the studio can change to get round a refusal. */
export const FixView = z.object({ text: z.string(), recipe: RecipeChange.optional() });
export type FixView = z.infer<typeof FixView>;
