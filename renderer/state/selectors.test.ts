import { describe, expect, it } from 'vitest';
import { type ArtifactView, type ProjectView, Recipe } from '../../core/contract/views.ts';
import { selectCompareRows, selectMeasures, selectScatter, sortRows } from './compare-rows.ts';
import { selectStageStates } from './stage-status.ts';

function artifact(precision: ArtifactView['precision'], part: Partial<ArtifactView> = {}): ArtifactView {
  return {
    id: precision,
    precision,
    io: 'float32',
    format: 'tflite',
    path: '',
    sizeBytes: 500,
    sha256: '',
    operators: {},
    minRuntime: '',
    status: 'ok',
    gates: [{ id: 'opens', ok: true, detail: '' }],
    warnings: [],
    quality: { samples: 10, sqnrDb: 40, cosine: 1, maxAbsError: 0, accuracy: 0.9, referenceAccuracy: 0.95 },
    latency: { engine: 'e', device: 'cpu', threads: 1, runs: 9, medianMs: 2, p90Ms: 3 },
    ...part,
  };
}

function project(artifacts: ArtifactView[]): ProjectView {
  return {
    id: 'p',
    name: 'net.h5',
    model: {
      source: {
        path: '',
        name: 'net.h5',
        format: 'keras',
        sizeBytes: 1000,
        sha256: '',
        operators: 1,
        parameters: 1,
        macs: 1,
        inputs: [],
        outputs: [],
      },
      graph: { nodes: 1, opHistogram: {}, dynamicDims: [], quantized: false, layouts: [] },
      issues: [],
      support: { tflite: { ok: true, missing: [] }, onnx: { ok: true, missing: [] } },
    },
    recipe: Recipe.parse({}),
    reference: {
      sizeBytes: 1000,
      accuracy: 0.95,
      latency: { engine: 'e', device: 'cpu', threads: 1, runs: 9, medianMs: 4, p90Ms: 5 },
    },
    artifacts,
  };
}

const notMade = artifact('int16x8', {
  status: 'failed',
  sizeBytes: 0,
  gates: [],
  error: { code: 'precision.unsupported', message: 'no', issues: [] },
});

describe('selectCompareRows', () => {
  const [source, int8, missing] = selectCompareRows(project([artifact('int8'), notMade]));

  it('starts with the source', () =>
    expect(source).toMatchObject({ id: 'source', sizeRatio: 1, accuracy: 0.95, latencyRatio: 1 }));
  it('relates figures to the source', () => {
    expect(int8).toMatchObject({ sizeRatio: 0.5, latencyRatio: 0.5, gatesPassed: 1, gatesTotal: 1 });
    expect(int8.accuracyDelta).toBeCloseTo(-0.05);
  });
  it('has no figures for what was not made', () =>
    expect(missing).toMatchObject({
      failed: true,
      sizeBytes: undefined,
      sizeRatio: undefined,
      sqnrDb: undefined,
      latencyRatio: undefined,
    }));
  it('is empty before the model is read', () => expect(selectCompareRows(undefined)).toEqual([]));
});

describe('selectMeasures', () => {
  const of = (...accuracies: (number | undefined)[]) =>
    selectMeasures(
      selectCompareRows(
        project(
          accuracies.map((accuracy, i) =>
            artifact('int8', {
              id: String(i),
              quality: { samples: 1, sqnrDb: 40, cosine: 1, maxAbsError: 0, accuracy },
            }),
          ),
        ),
      ),
    );
  it('puts accuracy first when it tells results apart', () =>
    expect(of(0.9, 0.8)).toEqual(['accuracy', 'quality']));
  it('puts quality first when accuracy is the same for all', () =>
    expect(of(0.9, 0.9)).toEqual(['quality', 'accuracy']));
  it('leaves accuracy out without labels', () => expect(of(undefined)).toEqual(['quality']));
});

describe('selectScatter', () => {
  it('leaves out what has no figure, and failed results from the front', () => {
    const rows = selectCompareRows(
      project([
        artifact('float16', { sizeBytes: 500 }),
        artifact('int8', {
          sizeBytes: 250,
          status: 'failed',
          quality: { samples: 1, sqnrDb: 5, cosine: 0, maxAbsError: 9 },
        }),
        notMade,
      ]),
    );
    const { points, front } = selectScatter(rows, 'quality');
    expect(points.map(({ row }) => row.id)).toEqual(['source', 'float16', 'int8']);
    expect(front.map(({ row }) => row.id)).toEqual(['float16', 'source']);
  });
});

describe('sortRows', () => {
  const rows = selectCompareRows(
    project([artifact('float16', { sizeBytes: 500 }), artifact('int8', { sizeBytes: 250 }), notMade]),
  );
  it.each([
    ['ascending', ['source', 'int8', 'float16', 'int16x8']],
    ['descending', ['source', 'float16', 'int8', 'int16x8']],
  ] as const)('%s keeps the source first and what has no figure last', (direction, order) =>
    expect(sortRows(rows, 'size', direction).map(({ id }) => id)).toEqual(order),
  );
});

describe('selectStageStates', () => {
  const inputs = { estimates: [], jobs: {}, profiles: 0 };
  const statuses = (...args: Parameters<typeof selectStageStates>) =>
    Object.values(selectStageStates(...args)).map(({ status }) => status);

  it('is empty without a project', () => expect(new Set(statuses(inputs))).toEqual(new Set(['empty'])));
  it('asks for samples when a picked precision needs them', () => {
    const estimates = [{ precision: 'int8' as const, sizeBytes: 1, needsSamples: true, blocked: 'samples' }];
    expect(selectStageStates({ ...inputs, estimates, project: project([]) }).data.status).toBe('needs you');
  });
  it('leads on when results are there', () =>
    expect(statuses({ ...inputs, project: project([artifact('int8')]) })).toEqual([
      'done',
      'ready',
      'done',
      'done',
      'ready',
      'ready',
    ]));
  it('asks for attention when nothing passed its gates', () =>
    expect(selectStageStates({ ...inputs, project: project([notMade]) }).export.status).toBe('needs you'));
});
