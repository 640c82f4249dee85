import type { ArtifactView, RecipeChange } from '../../core/contract/views.ts';
import { startTrial } from '../state/actions/results.ts';
import { changeWords } from '../state/change-words.ts';
import { useProject } from '../state/project.ts';
import { trialResult } from '../state/trials.ts';
import { artifactName } from '../theme/precision.ts';
import { Button } from '../ui/blocks.tsx';

interface TrialButtonProps {
  artifact: ArtifactView;
  change: RecipeChange;
  /** What the change is good for, on hover. */
  title: string;
  /** Shows the result when it was made already. */
  onShow: (result: ArtifactView) => void;
}

/** Makes one more file with something changed, or shows the one that was made so. */
export function TrialButton({ artifact, change, title, onShow }: TrialButtonProps) {
  const artifacts = useProject((state) => state.project?.artifacts ?? []);
  const made = trialResult(artifacts, artifact, change);
  const words = changeWords(change);
  return made ? (
    <Button small title={`${artifactName(made)} was made so`} onClick={() => onShow(made)}>
      Show {words}
    </Button>
  ) : (
    <Button small title={title} onClick={() => void startTrial(artifact, change)}>
      Try {words}
    </Button>
  );
}
