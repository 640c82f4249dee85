import { CircleCheck, Info, TriangleAlert } from 'lucide-react';
import type { ArtifactView, FindingView } from '../../../core/contract/views.ts';
import { OperatorLink } from '../../parts/operator-link.tsx';
import { TrialButton } from '../../parts/trial-button.tsx';

interface FindingsProps {
  artifact: ArtifactView;
  onShow: (result: ArtifactView) => void;
}

/** Above this the core looks for causes only where an answer changed. */
const goodDb = 45;

/** Where the quality of a file goes and why, each with something to try. */
export function Findings({ artifact, onShow }: FindingsProps) {
  const { findings } = artifact;
  if (!findings)
    return (
      <p className="muted">No samples were given, and what random numbers show says nothing of causes.</p>
    );
  if (findings.length === 0)
    return (
      <p className="finding-none">
        <CircleCheck size={14} color="var(--ok)" aria-hidden />
        {artifact.quality?.sqnrDb === null || (artifact.quality?.sqnrDb ?? 0) >= goodDb
          ? 'Nothing: the outputs stay close to the source’s.'
          : 'No cause was found.'}
      </p>
    );
  return (
    <ul className="findings">
      {findings.map((finding) => (
        <Finding key={`${finding.id}${finding.node}`} finding={finding} artifact={artifact} onShow={onShow} />
      ))}
    </ul>
  );
}

function Finding({ finding, artifact, onShow }: FindingsProps & { finding: FindingView }) {
  const { severity, title, text, node, op, trial } = finding;
  return (
    <li className={`finding finding-${severity}`}>
      {severity === 'warning' ? (
        <TriangleAlert size={14} aria-label="warning" />
      ) : (
        <Info size={14} aria-label="for information" />
      )}
      <div>
        <p>
          <strong>{title}</strong>{' '}
          {node && (
            <>
              {op} <OperatorLink name={node} />
            </>
          )}
        </p>
        <p>
          {text} {trial && <span className="muted">{trial.text}</span>}
        </p>
      </div>
      {trial?.recipe && (
        <TrialButton artifact={artifact} change={trial.recipe} title={trial.text} onShow={onShow} />
      )}
    </li>
  );
}
