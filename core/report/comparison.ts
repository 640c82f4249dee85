import type { CalibrationView, OptimizeReport, QualityView } from '../contract/views.ts';

/** One row of a comparison; the first row is the float source where it is known. */
export interface ComparisonRow {
  readonly name: string;
  readonly path: string;
  readonly format: string;
  readonly sizeBytes: number;
  readonly isSource: boolean;
  readonly status?: 'ok' | 'failed';
  readonly quality?: Partial<QualityView>;
  readonly latencyMs?: number;
  readonly engine?: string;
  /** Of a file whose numbers come from samples. */
  readonly calibration?: CalibrationView;
  readonly notes: readonly string[];
}

export interface Comparison {
  readonly title: string;
  readonly rows: readonly ComparisonRow[];
}

/** A run's report as a comparison: the source first, then every artifact as it was measured. */
export function compareReport(report: OptimizeReport): Comparison {
  const { source, reference, artifacts } = report;
  const sourceRow: ComparisonRow = {
    name: 'source',
    path: source.path,
    format: source.format,
    sizeBytes: source.sizeBytes,
    isSource: true,
    quality: reference?.accuracy === undefined ? undefined : { accuracy: reference.accuracy },
    latencyMs: reference?.latency?.medianMs,
    engine: reference?.latency?.engine,
    notes: [],
  };
  const rows = artifacts.map((artifact): ComparisonRow => {
    const gates = artifact.gates.filter((gate) => !gate.ok).map((gate) => `${gate.id}: ${gate.detail}`);
    return {
      name:
        artifact.io === 'float32' ? artifact.precision : `${artifact.precision}, ${artifact.io} in and out`,
      path: artifact.path,
      format: artifact.format,
      sizeBytes: artifact.sizeBytes,
      isSource: false,
      status: artifact.status,
      quality: artifact.quality,
      latencyMs: artifact.latency?.medianMs,
      engine: artifact.latency?.engine,
      calibration: artifact.calibration,
      notes: [
        ...(artifact.error ? [artifact.error.message] : []),
        ...gates,
        ...artifact.warnings.map((warning) => warning.message),
        ...(artifact.findings ?? []).map(
          ({ node, title, text }) => `${node === undefined ? '' : `${node}: `}${title}. ${text}`,
        ),
      ],
    };
  });
  return { title: source.name, rows: [sourceRow, ...rows] };
}
