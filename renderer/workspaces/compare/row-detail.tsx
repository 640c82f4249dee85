import { Check, TriangleAlert, X } from 'lucide-react';
import { useEffect, useMemo } from 'react';
import type { ArtifactDetail, ArtifactView } from '../../../core/contract/views.ts';
import { loadDetail } from '../../state/actions/results.ts';
import { useProject } from '../../state/project.ts';
import { ErrorPanel } from '../../ui/blocks.tsx';
import { formatDecibels } from '../../ui/format.ts';
import { commonPrefix } from '../../ui/names.ts';
import { VirtualList } from '../../ui/virtual-list.tsx';

const rowHeight = 22;
const listHeight = 240;
/** Quality that fills the bar. */
const fullDb = 60;

/** One result from inside: gates and warnings, error of each operator, samples whose answer changed. */
export function RowDetail({ artifact }: { artifact: ArtifactView }) {
  const detail = useProject((state) => state.details[artifact.id]);
  const made = artifact.error === undefined;
  useEffect(() => {
    if (made) void loadDetail(artifact.id);
  }, [artifact.id, made]);

  if (artifact.error) return <ErrorPanel error={artifact.error} />;
  return (
    <div className="detail-grid">
      <section>
        <h3>Gates</h3>
        <ul>
          {artifact.gates.map(({ id, ok, detail: text }) => (
            <li key={id} className="gate">
              {ok ? (
                <Check size={13} color="var(--ok)" aria-label="passed" />
              ) : (
                <X size={13} color="var(--danger)" aria-label="failed" />
              )}
              <span>
                {id}: <span className="muted">{text}</span>
              </span>
            </li>
          ))}
        </ul>
        {artifact.warnings.length > 0 && (
          <>
            <h3 style={{ marginTop: 12 }}>Warnings</h3>
            <ul>
              {artifact.warnings.map(({ code, message, node }) => (
                <li key={`${code}${node}${message}`} className="gate">
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
      </section>
      <section>
        <h3>Error by operator, worst first</h3>
        {detail ? (
          <OperatorErrors detail={detail} />
        ) : (
          <p className="muted">Comparing each operator with the source…</p>
        )}
      </section>
      <section>
        <h3>Samples whose answer changed</h3>
        {detail ? <ChangedSamples detail={detail} /> : <p className="muted">Waiting for the comparison…</p>}
      </section>
    </div>
  );
}

function OperatorErrors({ detail }: { detail: ArtifactDetail }) {
  const sorted = useMemo(
    () =>
      [...detail.operators].sort(
        (a, b) => (a.sqnrDb ?? Number.POSITIVE_INFINITY) - (b.sqnrDb ?? Number.POSITIVE_INFINITY),
      ),
    [detail],
  );
  const prefix = useMemo(() => commonPrefix(detail.operators.map(({ name }) => name)), [detail]);
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
        <div className="op-row">
          <code className="truncate" title={name}>
            {name.slice(prefix.length)}
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
        </div>
      )}
    </VirtualList>
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
