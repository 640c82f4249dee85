import { Fragment, useEffect, useState } from 'react';
import type { ArtifactView, FixView, TargetView } from '../../../core/contract/views.ts';
import { OperatorLink } from '../../parts/operator-link.tsx';
import { TrialButton } from '../../parts/trial-button.tsx';
import { loadTargets } from '../../state/actions/results.ts';
import { useProject } from '../../state/project.ts';
import { useView } from '../../state/view.ts';
import { Chip, classes, Figure, RowToggle } from '../../ui/blocks.tsx';
import { formatInteger } from '../../ui/format.ts';

type Verdict = TargetView['verdict'];

const verdictLook: Record<Verdict, { tone: 'ok' | 'warning' | 'danger' | undefined; word: string }> = {
  all: { tone: 'ok', word: 'all of it' },
  part: { tone: 'warning', word: 'in part' },
  none: { tone: undefined, word: 'nothing' },
  unfit: { tone: 'danger', word: 'cannot run' },
};

/** Where a file runs: what each runtime and accelerator takes of it, what stands in the way, and what gets it out. */
export function TargetTable({ artifact }: { artifact: ArtifactView }) {
  const targets = useProject((state) => state.targets[artifact.id]);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    void loadTargets(artifact.id);
  }, [artifact.id]);

  const toggle = (id: string): void => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  return (
    <section className="card" aria-label="Where it runs">
      <div className="card-title">
        <h2>Where it runs</h2>
        <span className="muted small">By the published rules of each target; nothing was run.</span>
      </div>
      {!targets && <p className="muted">Asking what each target takes…</p>}
      {targets && (
        <div className="table-scroll">
          <table className="table target-table">
            <thead>
              <tr>
                <th scope="col">Target</th>
                <th scope="col">Takes</th>
                <th scope="col" className="right">
                  Operators
                </th>
                <th
                  scope="col"
                  className="right"
                  title="Stretches of operators that it runs, each handed over"
                >
                  Pieces
                </th>
                <th scope="col">First in the way</th>
              </tr>
            </thead>
            <tbody>
              {targets.map((target) => (
                <Fragment key={target.id}>
                  <Row
                    target={target}
                    artifact={artifact}
                    isOpen={open.has(target.id)}
                    onToggle={() => toggle(target.id)}
                  />
                  {open.has(target.id) && (
                    <tr className="detail">
                      <td colSpan={5}>
                        <Reasons target={target} artifact={artifact} />
                      </td>
                    </tr>
                  )}
                </Fragment>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

interface RowProps {
  target: TargetView;
  artifact: ArtifactView;
  isOpen: boolean;
  onToggle: () => void;
}

function Row({ target, artifact, isOpen, onToggle }: RowProps) {
  const { name, verdict, taken, nodes, partitions, first, summary } = target;
  const { tone, word } = verdictLook[verdict];
  return (
    <tr className={classes(isOpen && 'open')}>
      <th scope="row">
        <RowToggle isOpen={isOpen} onToggle={onToggle}>
          {name}
        </RowToggle>
      </th>
      <td>
        <Chip tone={tone} title={summary}>
          {word}
        </Chip>
      </td>
      <td className="right">
        {formatInteger(taken)} of {formatInteger(nodes)}
      </td>
      <td className="right">
        <Figure value={taken === 0 ? undefined : formatInteger(partitions)} missing="It takes no operator" />
      </td>
      <td>
        {first ? (
          <div className="target-first">
            <p title={`${first.op}: ${first.reason}`}>
              <span>
                {first.op}: {first.reason}
              </span>
              <OperatorLink name={first.name} />
            </p>
            {first.fix && <Fix artifact={artifact} fix={first.fix} />}
          </div>
        ) : (
          <span className="muted">nothing</span>
        )}
      </td>
    </tr>
  );
}

function Reasons({ target, artifact }: { target: TargetView; artifact: ArtifactView }) {
  return (
    <div className="target-reasons">
      {target.reasons.length > 0 && (
        <ul>
          {target.reasons.map(({ op, reason, count, nodes, fix }, index, all) => (
            <li key={`${op}${reason}${nodes[0]}`}>
              <p>
                {op}
                {count > 1 && ` ×${formatInteger(count)}`}: {reason}
              </p>
              <p className="muted">
                {nodes.map((name, at) => (
                  <Fragment key={name}>
                    {at > 0 && ', '}
                    <OperatorLink name={name} />
                  </Fragment>
                ))}
                {count > nodes.length && ` and ${formatInteger(count - nodes.length)} more`}
              </p>
              {fix && !all.slice(0, index).some((before) => before.fix?.text === fix.text) && (
                <p className="target-fix">
                  <span>{fix.text}</span>
                  <Fix artifact={artifact} fix={fix} />
                </p>
              )}
            </li>
          ))}
        </ul>
      )}
      {target.reasons.length === 0 && <p>{target.summary}</p>}
      <p className="muted">Rules: {target.source}.</p>
    </div>
  );
}

/** The button of a fix that the studio can make; choosing what it made is choosing the file to export. */
function Fix({ artifact, fix }: { artifact: ArtifactView; fix: FixView }) {
  if (!fix.recipe) return null;
  return (
    <TrialButton
      artifact={artifact}
      change={fix.recipe}
      title={fix.text}
      onShow={({ id }) => useView.getState().set({ exportId: id })}
    />
  );
}
