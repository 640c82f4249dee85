import { Check, TriangleAlert, X } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import type { ArtifactDetail, ArtifactView, CalibrationView, Recipe } from '../../../core/contract/views.ts';
import { Gates } from '../../parts/gates.tsx';
import { adoptRecipe } from '../../state/actions/recipe.ts';
import { loadDetail } from '../../state/actions/results.ts';
import { useProject } from '../../state/project.ts';
import { Button, classes, ErrorPanel } from '../../ui/blocks.tsx';
import { formatDecibels, formatInteger } from '../../ui/format.ts';
import { shortenedNames } from '../../ui/names.ts';
import { VirtualList } from '../../ui/virtual-list.tsx';
import { Findings } from './findings.tsx';
import { OperatorPanel } from './operator-panel.tsx';

const rowHeight = 22;
const listHeight = 240;
/** Quality that fills the bar. */
const fullDb = 60;

interface RowDetailProps {
  artifact: ArtifactView;
  /** Opens another result. */
  onShow: (result: ArtifactView) => void;
}

/** One result from inside: what costs quality, error of each operator, gates and warnings, samples that changed. */
export function RowDetail({ artifact, onShow }: RowDetailProps) {
  const detail = useProject((state) => state.details[artifact.id]);
  const recipe = useProject((state) => state.project?.recipe);
  const [picked, setPicked] = useState<string>();
  const made = artifact.error === undefined;
  useEffect(() => {
    if (made) void loadDetail(artifact.id);
  }, [artifact.id, made]);

  if (artifact.error) return <ErrorPanel error={artifact.error} />;
  const operator = detail?.operators.find(({ name }) => name === picked) ?? worstOf(detail);
  return (
    <div className="detail-body">
      <section>
        <h3>What costs quality</h3>
        <Findings artifact={artifact} onShow={onShow} />
      </section>
      <div className="detail-grid">
        <section>
          <h3>Error by operator, worst first</h3>
          {detail ? (
            <OperatorErrors detail={detail} picked={operator?.name} onPick={setPicked} />
          ) : (
            <p className="muted">Comparing each operator with the source…</p>
          )}
        </section>
        {operator && <OperatorPanel artifact={artifact} operator={operator} onShow={onShow} />}
      </div>
      <div className="detail-grid">
        <section>
          <h3>Gates</h3>
          <Gates gates={artifact.gates} />
          {artifact.recovery && artifact.recovery.length > 0 && <Recovery steps={artifact.recovery} />}
          {artifact.warnings.length > 0 && (
            <>
              <h3 style={{ marginTop: 12 }}>Warnings</h3>
              <ul>
                {artifact.warnings.map(({ code, message, node }) => (
                  <li key={`${code}${node}${message}`} className="marked-line">
                    <TriangleAlert size={13} color="var(--warning)" aria-hidden />
                    <span>
                      {node && <code>{node}: </code>}
                      {message}
                    </span>
                  </li>
                ))}
              </ul>
            </>
          )}
          <p className="muted" style={{ marginTop: 12 }}>
            Needs runtime {artifact.minRuntime} or newer.
          </p>
          {artifact.calibration && (
            <p className="muted" title={`SHA-256 of what was fed: ${artifact.calibration.sha256}`}>
              {calibrationWords(artifact.calibration)}
            </p>
          )}
          {artifact.label !== undefined && detail?.recipe && !isSameChoice(detail.recipe, recipe) && (
            <Button
              small
              title="Makes the choices of this trial those of the next run"
              onClick={() => adoptRecipe(artifact, detail.recipe)}
            >
              Use its recipe
            </Button>
          )}
        </section>
        <section>
          <h3>Samples whose answer changed</h3>
          {detail ? <ChangedSamples detail={detail} /> : <p className="muted">Waiting for the comparison…</p>}
        </section>
      </div>
    </div>
  );
}

const chosenWords: Record<CalibrationView['chosen'], (seed: number) => string> = {
  all: () => 'all there are',
  random: (seed) => `drawn by seed ${seed}`,
  'by-class': (seed) => `drawn class by class by seed ${seed}`,
};

function calibrationWords({ samples, available, chosen, seed }: CalibrationView): string {
  const of = samples === available ? '' : ` of ${formatInteger(available)}`;
  return `Ranges come from ${formatInteger(samples)}${of} samples, ${chosenWords[chosen](seed)}.`;
}

/** Whether two recipes differ in nothing but in which files they ask for. */
function isSameChoice(made: Recipe, now: Recipe | undefined): boolean {
  const choices = (one: Recipe): string => JSON.stringify({ ...one, precisions: [], formats: [], io: '' });
  return now !== undefined && choices(made) === choices(now);
}

type Operator = ArtifactDetail['operators'][number];

/** Worst first; what has no error at all comes last. */
const byQuality = (a: Operator, b: Operator): number =>
  (a.sqnrDb ?? Number.POSITIVE_INFINITY) - (b.sqnrDb ?? Number.POSITIVE_INFINITY) || 0;

function worstOf(detail: ArtifactDetail | undefined): Operator | undefined {
  return detail && [...detail.operators].sort(byQuality)[0];
}

interface OperatorErrorsProps {
  detail: ArtifactDetail;
  picked?: string;
  onPick: (name: string) => void;
}

function OperatorErrors({ detail, picked, onPick }: OperatorErrorsProps) {
  const sorted = useMemo(() => [...detail.operators].sort(byQuality), [detail]);
  const shownName = useMemo(() => shortenedNames(detail.operators.map(({ name }) => name)), [detail]);
  if (sorted.length === 0)
    return <p className="muted">No operator’s output could be compared with the source’s.</p>;
  return (
    <VirtualList
      items={sorted}
      rowHeight={rowHeight}
      maxHeight={listHeight}
      label="Quality of each operator’s output (SQNR)"
      keyOf={({ name }, index) => `${name}${index}`}
    >
      {({ name, op, sqnrDb }) => (
        <button
          type="button"
          className={classes('op-row', name === picked && 'on')}
          aria-pressed={name === picked}
          onClick={() => onPick(name)}
        >
          <code className="truncate" title={name}>
            {shownName(name)}
          </code>
          <span className="truncate muted" title={op}>
            {op}
          </span>
          <span className="bar-track" aria-hidden>
            <span
              className="bar-fill"
              style={{
                display: 'block',
                width: `${Math.min(100, Math.max(0, ((sqnrDb ?? fullDb) / fullDb) * 100))}%`,
              }}
            />
          </span>
          <span className="num" style={{ textAlign: 'right' }}>
            {formatDecibels(sqnrDb)}
          </span>
        </button>
      )}
    </VirtualList>
  );
}

/** What each step that wins quality back gained on samples that it did not see. */
function Recovery({ steps }: { steps: NonNullable<ArtifactView['recovery']> }) {
  return (
    <>
      <h3 style={{ marginTop: 12 }}>Recovery</h3>
      <ul>
        {steps.map(({ id, gainDb, kept }) => (
          <li key={id} className="marked-line">
            {kept ? (
              <Check size={13} color="var(--ok)" aria-label="kept" />
            ) : (
              <X size={13} color="var(--text-muted)" aria-label="left out" />
            )}
            <span>
              {id.replaceAll('-', ' ')}:{' '}
              <span className="muted">
                {gainDb >= 0 ? '+' : '−'}
                {formatDecibels(Math.abs(gainDb))}
                {kept ? '' : ', left out'}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function ChangedSamples({ detail }: { detail: ArtifactDetail }) {
  if (detail.changed.length === 0)
    return <p className="muted">None: every first answer is that of the source.</p>;
  return (
    <ul className="changed">
      {detail.changed.map(({ index, image, label, before, after }) => (
        <li key={index}>
          {image ? (
            <img src={image} alt={`Sample ${index}`} />
          ) : (
            <span className="changed-none" aria-hidden />
          )}
          <span className="small">
            <span className="muted">
              {index}
              {label !== undefined && ` · label ${label}`}
            </span>
            <br />
            {before} → <strong>{after}</strong>
          </span>
        </li>
      ))}
    </ul>
  );
}
