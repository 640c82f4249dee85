import {
  type ArtifactView,
  type LatencyView,
  type Precision,
  type ProjectView,
  precisions,
} from '../../core/contract/views.ts';
import { artifactName } from '../theme/precision.ts';
import { type ParetoPoint, paretoFront } from './pareto.ts';

/** One row of the comparison: the source, or one written file. A figure that was not measured is undefined. */
export interface CompareRow {
  id: string;
  name: string;
  precision: Precision;
  /** Undefined for the source. */
  artifact?: ArtifactView;
  failed: boolean;
  /** Of a further point of a search: the id of its best one, under which it is folded. */
  furtherOf?: string;
  sizeBytes?: number;
  sizeRatio?: number;
  /** `null`: no error at all. The source has none by definition. */
  sqnrDb?: number | null;
  agreement?: number;
  accuracy?: number;
  accuracyDelta?: number;
  latency?: LatencyView;
  /** Median latency of the row ÷ that of the source. */
  latencyRatio?: number;
  gatesPassed: number;
  gatesTotal: number;
  warnings: number;
  /** Undefined where the file was not looked into. */
  findings?: number;
}

export const sourceRowId = 'source';

/** The source first, then every artifact by precision, so that a precision has the same place in every chart. */
export function selectCompareRows(project: ProjectView | undefined): CompareRow[] {
  if (!project?.model) return [];
  const { source } = project.model;
  const reference = project.reference;
  const sourceBytes = reference?.sizeBytes ?? source.sizeBytes;
  const sourceAccuracy =
    reference?.accuracy ??
    project.artifacts.find(({ quality }) => quality?.referenceAccuracy !== undefined)?.quality
      ?.referenceAccuracy;
  const sourceRow: CompareRow = {
    id: sourceRowId,
    name: 'source',
    precision: 'float32',
    failed: false,
    sizeBytes: sourceBytes,
    sizeRatio: 1,
    sqnrDb: null,
    accuracy: sourceAccuracy,
    latency: reference?.latency,
    latencyRatio: reference?.latency ? 1 : undefined,
    gatesPassed: 0,
    gatesTotal: 0,
    warnings: 0,
  };
  return [
    sourceRow,
    ...inOrder(project.artifacts).map((artifact) => ({
      ...toRow(artifact, sourceBytes, sourceAccuracy, reference?.latency),
      furtherOf: bestOfSearch(artifact, project.artifacts),
    })),
  ];
}

/** The best point of the search that an artifact is a further point of. */
function bestOfSearch(
  { id, precision }: ArtifactView,
  artifacts: readonly ArtifactView[],
): string | undefined {
  const best = precision === 'auto' ? /^(.+)-\d{1,2}$/.exec(id)?.[1] : undefined;
  return artifacts.some((one) => one.id === best) ? best : undefined;
}

/** Artifacts by precision, as every list and chart shows them. */
export function inOrder(artifacts: readonly ArtifactView[]): ArtifactView[] {
  const rank = ({ precision }: ArtifactView): number => precisions.indexOf(precision);
  return [...artifacts].sort((a, b) => rank(a) - rank(b));
}

function toRow(
  artifact: ArtifactView,
  sourceBytes: number,
  sourceAccuracy: number | undefined,
  sourceLatency: LatencyView | undefined,
): CompareRow {
  const { quality, latency } = artifact;
  const made = artifact.error === undefined;
  const accuracy = made ? quality?.accuracy : undefined;
  const comparedAccuracy = quality?.referenceAccuracy ?? sourceAccuracy;
  return {
    id: artifact.id,
    name: artifactName(artifact),
    precision: artifact.precision,
    artifact,
    failed: artifact.status === 'failed',
    sizeBytes: made ? artifact.sizeBytes : undefined,
    sizeRatio: made && sourceBytes > 0 ? artifact.sizeBytes / sourceBytes : undefined,
    sqnrDb: made ? quality?.sqnrDb : undefined,
    agreement: made ? quality?.top1Agreement : undefined,
    accuracy,
    accuracyDelta:
      accuracy !== undefined && comparedAccuracy !== undefined ? accuracy - comparedAccuracy : undefined,
    latency: made ? latency : undefined,
    latencyRatio: made && latency && sourceLatency ? latency.medianMs / sourceLatency.medianMs : undefined,
    gatesPassed: artifact.gates.filter(({ ok }) => ok).length,
    gatesTotal: artifact.gates.length,
    warnings: artifact.warnings.length,
    findings: artifact.findings?.length,
  };
}

export type Measure = 'accuracy' | 'quality' | 'agreement';

/**
 * Which vertical axes the rows can fill, the most telling first: accuracy, unless it is the same for all and so says
 * nothing about which to choose.
 */
export function selectMeasures(rows: readonly CompareRow[]): Measure[] {
  const results = rows.filter(({ artifact }) => artifact);
  const measures: Measure[] = [];
  const accuracies = new Set(results.flatMap(({ accuracy }) => accuracy ?? []));
  if (accuracies.size > 1) measures.push('accuracy');
  if (results.some(({ sqnrDb }) => sqnrDb !== undefined)) measures.push('quality');
  if (accuracies.size === 1) measures.push('accuracy');
  if (results.some(({ agreement }) => agreement !== undefined)) measures.push('agreement');
  return measures;
}

export function measureOf(row: CompareRow, measure: Measure): number | undefined {
  if (measure === 'accuracy') return row.accuracy;
  if (measure === 'agreement') return row.artifact ? row.agreement : 1;
  return row.sqnrDb === null ? Number.POSITIVE_INFINITY : row.sqnrDb;
}

export interface ScatterPoint extends ParetoPoint {
  row: CompareRow;
}

/** The rows that have both a size and the measure, and the front of those whose gates passed. */
export function selectScatter(
  rows: readonly CompareRow[],
  measure: Measure,
): { points: ScatterPoint[]; front: ScatterPoint[] } {
  const points = rows.flatMap((row) => {
    const gain = measureOf(row, measure);
    return row.sizeBytes === undefined || gain === undefined ? [] : [{ row, cost: row.sizeBytes, gain }];
  });
  return { points, front: paretoFront(points.filter(({ row }) => !row.failed)) };
}

export type SortKey =
  | 'name'
  | 'size'
  | 'quality'
  | 'agreement'
  | 'accuracy'
  | 'latency'
  | 'gates'
  | 'warnings'
  | 'findings';

function sortValue(row: CompareRow, key: SortKey): number | string | undefined {
  switch (key) {
    case 'name':
      return row.name;
    case 'size':
      return row.sizeBytes;
    case 'quality':
      return row.sqnrDb === null ? Number.POSITIVE_INFINITY : row.sqnrDb;
    case 'agreement':
      return row.agreement;
    case 'accuracy':
      return row.accuracy;
    case 'latency':
      return row.latency?.medianMs;
    case 'gates':
      return row.failed ? 1 : 0;
    case 'warnings':
      return row.warnings;
    case 'findings':
      return row.findings;
  }
}

/** Sorted rows; the source stays first whatever the order, and rows without the figure come last. */
export function sortRows(
  rows: readonly CompareRow[],
  key: SortKey,
  direction: 'ascending' | 'descending',
): CompareRow[] {
  const sign = direction === 'ascending' ? 1 : -1;
  const rank = (row: CompareRow): number =>
    row.id === sourceRowId ? 0 : sortValue(row, key) === undefined ? 2 : 1;
  return [...rows].sort((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    const [x, y] = [sortValue(a, key), sortValue(b, key)];
    if (x === y || x === undefined || y === undefined) return 0;
    return x < y ? -sign : sign;
  });
}
