import { type ErrorCode, type Issue, WhittleError } from '../../contract/errors.ts';
import { GraphBuilder } from '../../ir/builder.ts';
import type { DType } from '../../ir/dtype.ts';
import type { Graph, GraphSource, Value } from '../../ir/graph.ts';
import { elementCount, type Tensor } from '../../ir/tensor.ts';
import { inferTypes, kerasReaders } from '../../ops/registry.ts';
import { renameOutputs } from '../rename-outputs.ts';
import { isRecord, type LayerConfig, type ModelConfig, parseModelConfig, TensorRef } from './config.ts';
import { NotPlainError } from './hdf5-views.ts';
import { isIdentityLayer } from './identity-layers.ts';
import { type BoundCall, type LayerHost, layerView, valuesIn } from './layer-view.ts';
import { type Masks, passMask, refuseMaskArgument } from './masks.ts';
import { readerKey } from './supported-layers.ts';
import type { WeightScope } from './weights.ts';

export interface ModelInput {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** A constant in its place. */
  readonly fixed?: Tensor;
}

/** Outputs of a layer call; `undefined` when an issue keeps it from being known. */
type CallOutputs = readonly Value[] | undefined;

/** Turns a parsed model and its weights into a graph, collecting what is wrong with each layer. */
export class ModelBuilder implements LayerHost {
  readonly dialect: 1 | 2 | 3;
  readonly issues: Issue[] = [];
  readonly masks: Masks = new Map();
  private readonly builder: GraphBuilder;
  private readonly weights = new Set<Tensor>();

  constructor(name: string, dialect: 1 | 2 | 3) {
    this.dialect = dialect;
    this.builder = new GraphBuilder(name, inferTypes);
  }

  /** Elements of all weights that were used so far. */
  get parameters(): number {
    let count = 0;
    for (const tensor of this.weights) count += elementCount(tensor.shape);
    return count;
  }

  /** @returns the graph, or `undefined` when there are errors among `issues`. */
  build(
    model: ModelConfig,
    inputs: readonly ModelInput[],
    weights: WeightScope,
    source: GraphSource,
  ): Graph | undefined {
    const values = inputs.map(({ name, dtype, shape, fixed }) =>
      fixed ? this.builder.constant(name, fixed) : this.builder.input(name, { dtype, shape }),
    );
    const outputs = this.callModel(model, '', weights, values);
    if (!outputs || this.issues.some(({ severity }) => severity === 'error')) return undefined;
    const names = model.outputs.map(({ layer }) => layer);
    const graph = this.builder.finish(
      outputs.map(({ id }) => id),
      source,
    );
    return renameOutputs(graph, names);
  }

  used(tensor: Tensor): void {
    this.weights.add(tensor);
  }

  parseInner(raw: unknown): LayerConfig {
    const { layers } = parseModelConfig({ class_name: 'Sequential', config: [inputStub, raw] }, this.dialect);
    return layers[1];
  }

  callLayer(layer: LayerConfig, name: string, weights: WeightScope, call: BoundCall): Value[] {
    // Keras 3 lets predict() decide; before it, a call that was made for training stays one.
    if (call.kwargs.training === true && this.dialect !== 3) {
      throw new WhittleError(
        'model.unsupported-option',
        `${name} (${layer.className}): is called with training=True, which is not read`,
        { hint: 'Build the model with training=False, or leave the argument out.' },
      );
    }
    if (layer.model) {
      const outputs = this.callModel(layer.model, `${name}/`, weights, valuesIn(call.args));
      if (outputs) return outputs;
      throw new WhittleError('model.invalid', `${name} (${layer.className}) has layers that cannot be read`);
    }
    const view = layerView(this, layer, name, weights, call);
    if (isIdentityLayer(layer, this.dialect)) return [...view.inputs];
    const reader = kerasReaders[readerKey(layer)];
    if (!reader) {
      throw new WhittleError(
        'model.unsupported-layer',
        `${name}: layers of class ${layer.className} are not read`,
      );
    }
    refuseMaskArgument(view);
    const outputs = reader(view, this.builder);
    if (this.masks.size > 0) passMask(view, this.masks, outputs);
    return outputs;
  }

  /** Adds a model's layers. `prefix` names them apart from the layers of other models (`inner/`). */
  private callModel(
    model: ModelConfig,
    prefix: string,
    weights: WeightScope,
    inputs: readonly Value[],
  ): Value[] | undefined {
    const results = new Map<string, CallOutputs[]>();
    for (const [i, { layer }] of model.inputs.entries()) {
      results.set(layer, [inputs[i] ? [inputs[i]] : undefined]);
    }
    const layers = new Map(model.layers.map((layer) => [layer.name, layer]));

    const outputsOf = (name: string, call: number): CallOutputs => {
      let calls = results.get(name);
      if (!calls) {
        calls = [];
        results.set(name, calls);
      }
      if (call in calls) return calls[call];
      // Set before the work, so that a loop in a damaged file ends.
      calls[call] = undefined;
      const layer = layers.get(name);
      const bound = layer?.calls[call] && this.bind(layer.calls[call], outputsOf);
      if (layer && !layer.calls[call]) {
        this.report(
          layer,
          prefix + name,
          new WhittleError('model.invalid', `${name}: call ${call} is not in the file`),
        );
      }
      if (layer && bound) {
        calls[call] = this.guard(layer, prefix + name, () =>
          this.callLayer(layer, prefix + name, weights.layer(layer), bound),
        );
      }
      return calls[call];
    };

    // The file's own order first, so that nodes stand as the author wrote them; dependencies are pulled in as needed.
    for (const layer of model.layers) for (const call of layer.calls.keys()) outputsOf(layer.name, call);
    const outputs = model.outputs.map(({ layer, call, index }) => outputsOf(layer, call)?.[index]);
    return outputs.every((output) => output !== undefined) ? outputs : undefined;
  }

  /** Replaces references by values; `undefined` when one of them could not be built. */
  private bind(
    call: { readonly args: readonly unknown[]; readonly kwargs: Readonly<Record<string, unknown>> },
    outputsOf: (layer: string, call: number) => CallOutputs,
  ): BoundCall | undefined {
    let missing = false;
    const resolve = (item: unknown): unknown => {
      if (item instanceof TensorRef) {
        const value = outputsOf(item.layer, item.call)?.[item.index];
        if (!value) missing = true;
        return value;
      }
      if (Array.isArray(item)) return item.map(resolve);
      if (!isRecord(item)) return item;
      return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, resolve(inner)]));
    };
    const bound = { args: call.args.map(resolve), kwargs: resolve(call.kwargs) as Record<string, unknown> };
    return missing ? undefined : bound;
  }

  private guard(layer: LayerConfig, name: string, run: () => Value[]): CallOutputs {
    const before = this.issues.length;
    try {
      return run();
    } catch (error) {
      // An inner model has reported its layers already.
      if (this.issues.length === before || !layer.model) this.report(layer, name, error);
      return undefined;
    }
  }

  private report(layer: LayerConfig, name: string, error: unknown): void {
    const known = error instanceof WhittleError ? error : undefined;
    if (known?.code === 'format.damaged' || error instanceof NotPlainError) throw error;
    const code: ErrorCode = known?.code ?? 'model.invalid';
    const message = error instanceof Error ? error.message : String(error);
    this.issues.push({
      code,
      severity: 'error',
      message: known ? message : `${name} (${layer.className}) cannot be read: ${message}`,
      node: name,
      op: layer.className,
      hint: known?.hint,
    });
  }
}

const inputStub = { class_name: 'InputLayer', config: { name: 'input' } };
