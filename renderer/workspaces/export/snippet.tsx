import { useState } from 'react';
import type { ArtifactView, ProjectView } from '../../../core/contract/views.ts';
import { exportFileName } from '../../state/actions/results.ts';
import { useView } from '../../state/view.ts';
import { Button, Segmented } from '../../ui/blocks.tsx';
import { copyText } from '../../ui/copy-chart.ts';
import { type Language, languages, writeSnippet } from './snippets.ts';

/** How an app loads and runs the exported file. */
export function Snippet({ project, artifact }: { project: ProjectView; artifact: ArtifactView }) {
  const [language, setLanguage] = useState<Language>('Kotlin');
  const source = project.model?.source;
  const code = writeSnippet(language, {
    fileName: exportFileName(artifact),
    format: artifact.format,
    inputs: source?.inputs.map(({ name }) => name) ?? [],
    outputs: source?.outputs.map(({ name }) => name) ?? [],
  });
  const copy = async (): Promise<void> => {
    const how = await copyText(code, 'snippet.txt', 'text/plain');
    useView
      .getState()
      .showToast(how === 'copied' ? 'The snippet is on the clipboard.' : 'The snippet was saved.');
  };
  return (
    <section className="card" aria-label="Code">
      <div className="card-title">
        <h2>In the app</h2>
        <Segmented
          label="Language"
          name="language"
          value={language}
          options={languages.map((value) => ({ value, label: value }))}
          onChange={setLanguage}
        />
        <Button small onClick={() => void copy()}>
          Copy snippet
        </Button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre className="code-block snippet" tabIndex={0}>
        {code}
      </pre>
    </section>
  );
}
