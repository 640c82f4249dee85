import type { DynamicView, FixedValues, ModelView, PortView } from '../../contract/views.ts';
import { inspectModel } from '../../studio/inspect.ts';
import { digits, formatBytes } from '../format.ts';
import { type CommandContext, exitCodes, printJson } from '../io.ts';

export async function inspect(
  path: string,
  options: { shape?: Record<string, number[]>; fix?: FixedValues; json?: boolean },
  { io }: CommandContext,
): Promise<number> {
  const view = await inspectModel(path, { shapes: options.shape, fixed: options.fix });
  io.err(summaryOf(view));
  if (options.json) await printJson(io, view);
  return exitCodes.done;
}

function summaryOf({ source, graph, dynamic, issues, support, memoryBytes }: ModelView): string {
  const port = ({ name, dtype, shape }: PortView): string => `${name} ${dtype} [${shape.join(', ')}]`;
  const lines = [
    `${source.name}: ${source.format}${source.version ? ` (${source.version})` : ''}, ${formatBytes(source.sizeBytes)}`,
    `  ${digits(source.parameters / 1e6)} M parameters, ${digits(source.macs / 1e6)} M MACs, ${source.operators} operators${graph.quantized ? ', quantized' : ''}`,
    `  inputs   ${source.inputs.map(port).join('; ')}`,
    ...(source.fixed ? [`  fixed    ${source.fixed.map(port).join('; ')}`] : []),
    `  outputs  ${source.outputs.map(port).join('; ')}`,
    `  ${Object.entries(graph.opHistogram)
      .map(([op, count]) => `${op} ${count}`)
      .join(', ')}`,
  ];
  for (const [key, text] of Object.entries(source.metadata ?? {})) {
    lines.push(`  ${key}: ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`);
  }
  for (const [format, { ok, missing }] of Object.entries(support)) {
    lines.push(
      `  ${format}: ${ok ? 'can be written' : `cannot be written, missing ${missing.join(', ') || 'a graph'}`}`,
    );
  }
  if (memoryBytes !== undefined)
    lines.push(`  memory   about ${formatBytes(memoryBytes)} to make its files, however many samples`);
  if (dynamic) lines.push(...dynamicLines(dynamic));
  for (const issue of issues) {
    lines.push(`  ${issue.severity} ${issue.code}: ${issue.message}${issue.hint ? ` ${issue.hint}` : ''}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Operators named one by one; of more only the number is told. */
const namedAtMost = 8;

function dynamicLines({ dims, stops, isKnown }: DynamicView): string[] {
  const first = `  left open: ${dims.join(', ')}; `;
  if (!isKnown) return [`${first}what needs them fixed can be told once they are settled with --shape`];
  if (stops.length === 0) return [`${first}no operator needs them fixed`];
  const shown = stops.slice(0, namedAtMost).map(({ node, op, reason }) => `    ${node} (${op}): ${reason}`);
  const more = stops.length > namedAtMost ? [`    and ${stops.length - namedAtMost} more`] : [];
  const count = stops.length === 1 ? '1 operator needs' : `${stops.length} operators need`;
  return [`${first}${count} them fixed:`, ...shown, ...more];
}
