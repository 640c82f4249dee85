import { useState } from 'react';
import type { PythonScript, Recipe } from '../../../core/contract/views.ts';
import { commandById } from '../../commands/table.ts';
import { readPython } from '../../state/actions/recipe.ts';
import { useView } from '../../state/view.ts';
import { Button, Segmented } from '../../ui/blocks.tsx';
import { copyText, saveBlob } from '../../ui/copy-chart.ts';

type Form = 'json' | 'python';

/** The recipe as text: the document that `whittle optimize --recipe` takes, and the same in Python’s tools. */
export function RecipeCard({ recipe, name }: { recipe: Recipe; name: string }) {
  const [form, setForm] = useState<Form>('json');
  const [python, setPython] = useState<{ recipe: Recipe; script: PythonScript }>();
  const json = `${JSON.stringify(recipe, null, 2)}\n`;
  // A script of an earlier recipe would be another's.
  const script = python?.recipe === recipe ? python.script : undefined;
  const text = form === 'json' ? json : script?.text;

  const choose = async (next: Form): Promise<void> => {
    setForm(next);
    if (next === 'json' || script) return;
    const written = await readPython();
    if (written) setPython({ recipe, script: written });
  };
  const copy = async (): Promise<void> => {
    if (text === undefined) return;
    const fileName = form === 'json' ? `${name}.recipe.json` : (script?.fileName ?? 'convert.py');
    const how = await copyText(text, fileName);
    useView.getState().showToast(how === 'copied' ? 'It is on the clipboard.' : 'It was saved.');
  };
  const save = (): void => {
    if (form === 'json') commandById('save-recipe').run();
    else if (script) saveBlob(new Blob([script.text], { type: 'text/x-python' }), script.fileName);
  };
  return (
    <details className="card recipe" aria-label="Recipe">
      <summary>Recipe as text</summary>
      <div className="recipe-tools">
        <Segmented<Form>
          label="Form"
          name="recipe-form"
          value={form}
          options={[
            { value: 'json', label: 'JSON' },
            { value: 'python', label: 'Python script' },
          ]}
          onChange={(next) => void choose(next)}
        />
        <span className="muted small">
          {form === 'json'
            ? 'For whittle optimize --recipe; drop it on the window to apply it.'
            : 'The same with TensorFlow’s converter and onnxruntime’s quantizer.'}
        </span>
        <Button small disabled={text === undefined} onClick={() => void copy()}>
          Copy
        </Button>
        <Button small disabled={text === undefined} onClick={save}>
          Save
        </Button>
      </div>
      {form === 'python' && script && script.notes.length > 0 && (
        <ul className="recipe-notes small muted">
          {script.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      {form === 'python' && !script ? (
        <Button small onClick={() => void choose('python')}>
          Write the script for this recipe
        </Button>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        <pre className="code-block" tabIndex={0}>
          {text}
        </pre>
      )}
    </details>
  );
}
