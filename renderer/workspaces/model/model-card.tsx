import type { ModelView, PortView } from '../../../core/contract/views.ts';
import { Chip, Figure } from '../../ui/blocks.tsx';
import { formatBytes, formatCount, formatInteger, formatShape } from '../../ui/format.ts';
import { modelFormatName } from '../../ui/format-names.ts';

export function ModelCard({ model }: { model: ModelView }) {
  const { source, graph, support } = model;
  const format = modelFormatName(source.format);
  const isRead = graph.nodes > 0;
  return (
    <section className="card" aria-label="Model card">
      <h1 className="model-name" title={source.path}>
        {source.name}
      </h1>
      <div className="model-chips">
        {!(source.version ?? '').startsWith(format) && <Chip>{format}</Chip>}
        {source.version && !source.producer?.startsWith(source.version) && <Chip>{source.version}</Chip>}
        {source.producer && <Chip>{source.producer}</Chip>}
        {graph.layouts.map((layout) => (
          <Chip key={layout}>{layout}</Chip>
        ))}
        {graph.quantized && <Chip tone="warning">already quantized</Chip>}
        <SupportChip name=".tflite" ok={support.tflite.ok} missing={support.tflite.missing} />
        <SupportChip name=".onnx" ok={support.onnx.ok} missing={support.onnx.missing} />
      </div>
      <dl className="model-figures">
        <Key
          name="Size"
          value={formatBytes(source.sizeBytes)}
          exact={`${formatInteger(source.sizeBytes)} bytes`}
        />
        <Key
          name="Parameters"
          value={formatCount(source.parameters)}
          exact={formatInteger(source.parameters)}
        />
        <Key
          name="Multiply-adds"
          value={isRead ? formatCount(source.macs) : undefined}
          exact={formatInteger(source.macs)}
        />
        <Key name="Operators" value={isRead ? formatInteger(source.operators) : undefined} />
      </dl>
      <dl className="model-ports">
        <dt>Inputs</dt>
        <Ports ports={source.inputs} />
        <dt>Outputs</dt>
        <Ports ports={source.outputs} />
        <dt>SHA-256</dt>
        <dd className="mono truncate muted" title={source.sha256}>
          {source.sha256}
        </dd>
      </dl>
    </section>
  );
}

function Key({ name, value, exact }: { name: string; value?: string; exact?: string }) {
  return (
    <div title={value === undefined ? undefined : exact}>
      <dt>{name}</dt>
      <dd>
        <Figure value={value} missing="The layers of the file could not be read" />
      </dd>
    </div>
  );
}

function Ports({ ports }: { ports: readonly PortView[] }) {
  return (
    <dd>
      <ul>
        {ports.map(({ name, dtype, shape }) => (
          <li key={name} className="mono">
            <span className="truncate" title={name}>
              {name}
            </span>
            <span>
              {formatShape(shape)} {dtype}
            </span>
          </li>
        ))}
      </ul>
    </dd>
  );
}

function SupportChip({ name, ok, missing }: { name: string; ok: boolean; missing: readonly string[] }) {
  if (ok) return <Chip tone="ok">writes {name}</Chip>;
  return (
    <Chip tone="danger" title={`Cannot be written: ${missing.join(', ')}`}>
      no {name}: {missing.slice(0, 2).join(', ')}
      {missing.length > 2 && ` and ${missing.length - 2} more`}
    </Chip>
  );
}
