import type { DatasetView } from '../../../core/contract/views.ts';
import { commandById } from '../../commands/table.ts';
import { detachData } from '../../state/actions/data.ts';
import { useProject } from '../../state/project.ts';
import { BarList, Button, Hollow, IssueLine } from '../../ui/blocks.tsx';
import {
  formatBytes,
  formatInteger,
  formatPercent,
  formatShape,
  formatSignificant,
  plural,
} from '../../ui/format.ts';
import { ContactSheet } from './contact-sheet.tsx';
import { PreprocessForm } from './preprocess-form.tsx';
import './data-stage.css';

const kindNames: Record<DatasetView['kind'], string> = {
  npz: '.npz archive',
  npy: '.npy array',
  images: 'image folder',
  'npy-folder': 'folder of .npy',
  csv: '.csv table',
  wav: 'folder of .wav',
};

const bytesOf: Record<string, number> = {
  float64: 8,
  int64: 8,
  float32: 4,
  int32: 4,
  float16: 2,
  int16: 2,
  uint16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Bytes that all samples take once prepared, or undefined for a type without a fixed width. */
function preparedBytes(data: DatasetView): number | undefined {
  let perSample = 0;
  for (const { dtype, shape } of data.inputs) {
    const width = bytesOf[dtype];
    if (width === undefined) return undefined;
    perSample += width * shape.reduce((product, dim) => product * dim, 1);
  }
  return perSample * data.samples;
}

/** Where the samples come from, and what the network will really see. */
export function DataStage() {
  const project = useProject((state) => state.project);
  const data = project?.data;
  const attach = (
    <>
      <Button onClick={commandById('attach-files').run}>Attach files</Button>
      <Button onClick={commandById('attach-folder').run}>Attach a folder</Button>
    </>
  );
  if (!project) return null;
  if (!data) {
    return (
      <div className="page">
        <div className="page-head">
          <h1>Data</h1>
        </div>
        <Hollow title="Drop samples here" action={<div style={{ display: 'flex', gap: 8 }}>{attach}</div>}>
          A .npz or .npy, a folder of images whose sub-folders are the labels, a .csv, or a folder of .wav.
          int8 and int16x8 need about a hundred; quality is measured on them for every precision.
        </Hollow>
      </div>
    );
  }
  return (
    <div className="page">
      <div className="page-head">
        <h1>Data</h1>
        <span className="page-note truncate" title={data.path}>
          {plural(data.samples, 'sample')} · {kindNames[data.kind]} · {data.path.split(/[\\/]/).at(-1)}
        </span>
        {attach}
        <Button onClick={() => void detachData()}>Detach</Button>
      </div>
      {data.issues.length > 0 && (
        <ul className="card" aria-label="Issues of the samples">
          {data.issues.map((issue) => (
            <IssueLine key={`${issue.code}${issue.node}${issue.message}`} issue={issue} />
          ))}
        </ul>
      )}
      <div className="data">
        <ContactSheet
          key={`${data.path}|${JSON.stringify(data.preprocess)}`}
          projectId={project.id}
          samples={data.samples}
        />
        <div className="data-side">
          <Inputs data={data} />
          {data.preprocess && (
            <PreprocessForm key={JSON.stringify(data.preprocess)} preprocess={data.preprocess} />
          )}
          <Labels data={data} />
        </div>
      </div>
    </div>
  );
}

function Inputs({ data }: { data: DatasetView }) {
  const bytes = preparedBytes(data);
  return (
    <section className="card" aria-label="What the network sees">
      <div className="card-title">
        <h2>What the network sees</h2>
      </div>
      <dl className="keyvalues small">
        {data.inputs.map(({ name, dtype, shape, min, max }) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt className="mono">{name}</dt>
            <dd>
              <span className="mono">
                {formatShape(shape)} {dtype}
              </span>
              <br />
              <span className="num">
                values {formatSignificant(min)} to {formatSignificant(max)}
              </span>
            </dd>
          </div>
        ))}
        <dt>Memory</dt>
        <dd>
          {bytes === undefined ? (
            'not of a fixed width'
          ) : (
            <span title="Shape × width × samples. Samples are streamed: they are never all in memory at once.">
              <em>{formatBytes(bytes)} est.</em> <span className="muted">prepared, streamed</span>
            </span>
          )}
        </dd>
      </dl>
    </section>
  );
}

function Labels({ data }: { data: DatasetView }) {
  const { labels } = data;
  const total = labels.reduce((sum, { count }) => sum + count, 0);
  return (
    <section className="card" aria-label="Labels">
      <div className="card-title">
        <h2>Labels</h2>
        {labels.length > 0 && (
          <span className="muted small">{plural(labels.length, 'class', 'classes')}</span>
        )}
      </div>
      {labels.length === 0 ? (
        <p className="muted small">
          None. With labels, accuracy is measured too: sub-folders for images, or an array <code>y</code> in
          the .npz.
        </p>
      ) : (
        <div className="data-labels">
          <BarList
            label="Samples by label"
            items={labels.map(({ name, count }) => ({
              key: name,
              label: name,
              value: count,
              text: `${formatInteger(count)} · ${formatPercent(count / total)}`,
            }))}
          />
        </div>
      )}
    </section>
  );
}
