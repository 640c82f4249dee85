import { Check } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ArtifactView, Precision, ProjectView } from '../../../core/contract/views.ts';
import { shell } from '../../client/core.ts';
import { Gates } from '../../parts/gates.tsx';
import { attempt } from '../../state/actions/attempt.ts';
import { editRecipe } from '../../state/actions/recipe.ts';
import { exportArtifact, exportFileName } from '../../state/actions/results.ts';
import { inOrder } from '../../state/compare-rows.ts';
import { useProject } from '../../state/project.ts';
import { useView } from '../../state/view.ts';
import { artifactName, formatName } from '../../theme/precision.ts';
import { Button, Chip, classes, Hollow } from '../../ui/blocks.tsx';
import { formatBytes, formatDecibels, formatRatio } from '../../ui/format.ts';
import { PrecisionMark } from '../../ui/marker.tsx';
import { bestFor, fitsTarget, presets, type TargetPreset } from './presets.ts';
import { Snippet } from './snippet.tsx';
import { TargetTable } from './target-table.tsx';
import './export-stage.css';

/** What leaves, for whom, with what verdict, and the button. */
export function ExportStage() {
  const project = useProject((state) => state.project);
  const exportId = useView((state) => state.exportId);
  const [targetId, setTargetId] = useState<string>();
  const [saved, setSaved] = useState<{ artifactId: string; where: string }>();
  const artifacts = inOrder(project?.artifacts ?? []);
  const good = artifacts.filter(({ status }) => status === 'ok');
  const target = presets.find(({ id }) => id === targetId);
  const smallest = [...good].sort((a, b) => a.sizeBytes - b.sizeBytes)[0];
  const chosen = good.find(({ id }) => id === exportId) ?? smallest;

  useEffect(() => {
    if (chosen && chosen.id !== exportId) useView.getState().set({ exportId: chosen.id });
  }, [chosen, exportId]);

  if (!project) return null;
  if (artifacts.length === 0) {
    return (
      <div className="page">
        <div className="page-head">
          <h1>Export</h1>
        </div>
        <Hollow
          title="Nothing to export yet"
          action={<Button onClick={() => useView.getState().goTo('optimize')}>Pick precisions</Button>}
        >
          Run a precision. What passes its gates can leave from here, as .tflite or .onnx.
        </Hollow>
      </div>
    );
  }

  const chooseTarget = (preset: TargetPreset): void => {
    setTargetId(preset.id);
    const best = bestFor(preset, artifacts);
    if (best) useView.getState().set({ exportId: best.id });
  };
  const handleExport = async (artifact: ArtifactView): Promise<void> => {
    const where = await exportArtifact(artifact);
    if (where) setSaved({ artifactId: artifact.id, where });
  };

  return (
    <div className="page">
      <div className="page-head">
        <h1>Export</h1>
        <span className="page-note truncate">{chosen && exportFileName(chosen)}</span>
        {chosen && (
          <Button variant="primary" onClick={() => void handleExport(chosen)}>
            Export {formatName[chosen.format]}
          </Button>
        )}
      </div>
      {saved && saved.artifactId === chosen?.id && <Saved where={saved.where} />}
      <div className="export">
        <div>
          <section className="card" aria-label="Target">
            <div className="card-title">
              <h2>For whom</h2>
            </div>
            <div className="targets" role="radiogroup" aria-label="Target">
              {presets.map((preset) => (
                <label key={preset.id} className={classes('target', preset.id === targetId && 'on')}>
                  <input
                    type="radio"
                    name="target"
                    checked={preset.id === targetId}
                    onChange={() => chooseTarget(preset)}
                  />
                  {preset.name}
                </label>
              ))}
            </div>
            {target && <Advice target={target} project={project} chosen={chosen} />}
          </section>
          <FilePicker
            artifacts={artifacts}
            chosen={chosen}
            sourceBytes={project.reference?.sizeBytes ?? project.model?.source.sizeBytes ?? 0}
          />
        </div>
        {chosen ? (
          <div>
            <Contents project={project} artifact={chosen} />
            <GatesCard title="Gates" artifact={chosen} />
          </div>
        ) : (
          <div>
            {artifacts.map((artifact) => (
              <GatesCard key={artifact.id} title={artifactName(artifact)} artifact={artifact} />
            ))}
          </div>
        )}
      </div>
      {chosen && <TargetTable artifact={chosen} />}
      {chosen && <Snippet project={project} artifact={chosen} />}
    </div>
  );
}

interface FilePickerProps {
  artifacts: readonly ArtifactView[];
  chosen?: ArtifactView;
  sourceBytes: number;
}

function FilePicker({ artifacts, chosen, sourceBytes }: FilePickerProps) {
  return (
    <section className="card" aria-label="File">
      <div className="card-title">
        <h2>What leaves</h2>
      </div>
      <div role="radiogroup" aria-label="File to export">
        {artifacts.map((artifact) => (
          <Choice
            key={artifact.id}
            artifact={artifact}
            sourceBytes={sourceBytes}
            chosen={artifact.id === chosen?.id}
            onChoose={() => useView.getState().set({ exportId: artifact.id })}
          />
        ))}
      </div>
    </section>
  );
}

/** The verdict on a file and what it rests on. */
function GatesCard({ title, artifact }: { title: string; artifact: ArtifactView }) {
  const isGood = artifact.status === 'ok';
  return (
    <section className="card" aria-label={isGood ? 'Gates' : `Gates of ${title}`}>
      <div className="card-title">
        <h2>{title}</h2>
        <Chip tone={isGood ? 'ok' : 'danger'}>{isGood ? 'all passed' : 'failed'}</Chip>
      </div>
      {artifact.error && <p>{artifact.error.message}</p>}
      <div className="small">
        <Gates gates={artifact.gates} />
      </div>
    </section>
  );
}

function Saved({ where }: { where: string }) {
  const { showInFolder, kind } = shell();
  return (
    <div className="export-result" role="status">
      <Check size={16} aria-hidden />
      <span>{kind === 'desktop' ? `Saved as ${where}` : `${where} is in your downloads.`}</span>
      {showInFolder && (
        <Button small onClick={() => void attempt('Showing the folder', () => showInFolder(where))}>
          Show in folder
        </Button>
      )}
    </div>
  );
}

function Advice({
  target,
  project,
  chosen,
}: {
  target: TargetPreset;
  project: ProjectView;
  chosen?: ArtifactView;
}) {
  const fits = chosen !== undefined && fitsTarget(target, chosen);
  const prepare = (): void => {
    const precision: Precision = target.precisions[0];
    const { recipe } = project;
    editRecipe(
      {
        precisions: recipe.precisions.includes(precision)
          ? recipe.precisions
          : [...recipe.precisions, precision],
        io: target.io[0],
        formats: recipe.formats.includes(target.format) ? recipe.formats : [...recipe.formats, target.format],
        pureInteger: target.pureInteger ?? false,
      },
      `recipe for ${target.name}`,
    );
    useView.getState().goTo('optimize');
  };
  return (
    <div className="target-advice">
      <span>
        {target.advice}{' '}
        <span className="muted">{fits ? 'The chosen file fits.' : 'No result fits yet.'}</span>
      </span>
      {!fits && (
        <Button small onClick={prepare}>
          Set the recipe for it
        </Button>
      )}
    </div>
  );
}

function Choice(props: {
  artifact: ArtifactView;
  sourceBytes: number;
  chosen: boolean;
  onChoose: () => void;
}) {
  const { artifact, sourceBytes, chosen, onChoose } = props;
  const failed = artifact.status === 'failed';
  const reason = artifact.error?.message ?? artifact.gates.find(({ ok }) => !ok)?.detail;
  return (
    <label className={classes('choice', chosen && 'on', failed && 'off')} title={failed ? reason : undefined}>
      <input
        type="radio"
        name="export-file"
        aria-label={artifactName(artifact)}
        checked={chosen}
        disabled={failed}
        onChange={onChoose}
      />
      <PrecisionMark precision={artifact.precision} />
      <span className="truncate">{artifactName(artifact)}</span>
      <span className="num small">
        {artifact.error
          ? ''
          : `${formatBytes(artifact.sizeBytes)} ${sourceBytes > 0 ? formatRatio(artifact.sizeBytes / sourceBytes) : ''}`}
      </span>
      {failed ? <Chip tone="danger">failed</Chip> : <Chip tone="ok">verified</Chip>}
    </label>
  );
}

function Contents({ project, artifact }: { project: ProjectView; artifact: ArtifactView }) {
  const source = project.model?.source;
  return (
    <section className="card" aria-label="Contents">
      <div className="card-title">
        <h2>In the file</h2>
      </div>
      <dl className="keyvalues small">
        <dt>Name</dt>
        <dd className="mono">{exportFileName(artifact)}</dd>
        {artifact.data && (
          <>
            <dt>Weights in</dt>
            <dd className="mono">{artifact.data.fileName}, beside it</dd>
          </>
        )}
        <dt>Size</dt>
        <dd className="num">{formatBytes(artifact.sizeBytes)}</dd>
        {artifact.quality && (
          <>
            <dt>Quality (SQNR)</dt>
            <dd className="num">{formatDecibels(artifact.quality.sqnrDb)}</dd>
          </>
        )}
        {artifact.format === 'tflite' && (
          <>
            <dt>Signature</dt>
            <dd className="mono">serving_default</dd>
          </>
        )}
        <dt>Inputs</dt>
        <dd className="mono">{source?.inputs.map(({ name }) => name).join(', ')}</dd>
        <dt>Outputs</dt>
        <dd className="mono">{source?.outputs.map(({ name }) => name).join(', ')}</dd>
        <dt>I/O type</dt>
        <dd>{artifact.io}</dd>
        <dt>Needs runtime</dt>
        <dd>{artifact.minRuntime} or newer</dd>
        <dt>SHA-256</dt>
        <dd className="mono truncate" title={artifact.sha256}>
          {artifact.sha256}
        </dd>
      </dl>
    </section>
  );
}
