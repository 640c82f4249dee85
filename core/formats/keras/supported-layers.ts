import type { Issue } from '../../contract/errors.ts';
import { kerasReaders } from '../../ops/registry.ts';
import { isRecord, type LayerConfig, type ModelConfig } from './config.ts';
import { isIdentityLayer } from './identity-layers.ts';

/** The key of a layer's reader in the operator registry. */
export function readerKey(layer: LayerConfig): string {
  if (layer.kind === 'operation') return `ops.${layer.className}`;
  if (layer.className === 'TFOpLambda') return `tf.${layer.config.function}`;
  return layer.className;
}

const customHint =
  'The file holds the name of this class but not its code. Rebuild the model from layers that Keras itself has, ' +
  'or export it to ONNX where its code is at hand.';

const builtInHint =
  'Keras has this layer, but it is not read here. Rebuild the model without it, or export the model to ONNX ' +
  '(model.export with format="onnx") and open that.';

const hints: Readonly<Record<string, string>> = {
  Lambda:
    'A Lambda holds Python code, which is not read. Replace it by a layer that Keras has ' +
    '(Rescaling, Activation, Reshape, …) or by keras.ops, and save the model again.',
  TextVectorization: 'Texts cannot be processed in the exported model. Cut the model behind this layer.',
  StringLookup: 'Texts cannot be processed in the exported model. Cut the model behind this layer.',
  Hashing: 'Hashes cannot be computed in the exported model. Cut the model behind this layer.',
};

/** Every layer of a class that is not read, with those of inner models, each once. */
export function unsupportedLayers(model: ModelConfig, dialect: 1 | 2 | 3, prefix = ''): Issue[] {
  return model.layers.flatMap((layer) => {
    const name = prefix + layer.name;
    if (layer.model) return unsupportedLayers(layer.model, dialect, `${name}/`);
    const wrapped = isRecord(layer.config.layer) ? wrappedIssues(layer, name, dialect) : [];
    if (
      layer.className === 'InputLayer' ||
      isIdentityLayer(layer, dialect) ||
      kerasReaders[readerKey(layer)]
    ) {
      return wrapped;
    }
    const what =
      layer.className === 'TFOpLambda' ? `TensorFlow function ${layer.config.function}` : layer.className;
    return [
      {
        code: 'model.unsupported-layer',
        severity: 'error' as const,
        message: `${name}: ${layer.kind === 'operation' ? `keras.ops ${what}` : what} is not supported`,
        node: name,
        op: layer.className,
        hint: hints[layer.className] ?? (layer.isBuiltIn ? builtInHint : customHint),
      },
      ...wrapped,
    ];
  });
}

/** The layer inside a wrapper (TimeDistributed, Bidirectional) when its class is not read. */
function wrappedIssues(layer: LayerConfig, name: string, dialect: 1 | 2 | 3): Issue[] {
  const inner = layer.config.layer as Record<string, unknown>;
  const className = String(inner.class_name ?? '').replace(/^.*>/, '');
  const config = isRecord(inner.config) ? inner.config : {};
  const known =
    Array.isArray(config.layers) ||
    kerasReaders[className] ||
    isIdentityLayer({ className, name, config, kind: 'layer', isBuiltIn: false, calls: [] }, dialect);
  if (known) return [];
  return [
    {
      code: 'model.unsupported-layer',
      severity: 'error',
      message: `${name}/${String(config.name ?? className)}: ${className} is not supported`,
      node: `${name}/${String(config.name ?? className)}`,
      op: className,
      hint: hints[className] ?? customHint,
    },
  ];
}
