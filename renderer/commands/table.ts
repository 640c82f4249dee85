import { shell } from '../client/core.ts';
import { pickFiles } from '../client/picked-files.ts';
import type { PickKind } from '../client/shell.ts';
import { detachData } from '../state/actions/data.ts';
import { takePicked } from '../state/actions/drop.ts';
import { openSample } from '../state/actions/project.ts';
import { exportArtifact, runRecipe } from '../state/actions/results.ts';
import { findRunning, useJobs } from '../state/jobs.ts';
import { useProject } from '../state/project.ts';
import { useUndo } from '../state/undo.ts';
import { stageNames, stages, useView } from '../state/view.ts';
import { nextTheme } from '../theme/theme.ts';
import { saveBlob } from '../ui/copy-chart.ts';

export type CommandGroup = 'File' | 'Go' | 'Run' | 'Edit' | 'View';

/** One thing a person can do. The table below feeds the menu, the palette and the keys. */
export interface Command {
  id: string;
  title: string;
  group: CommandGroup;
  /** As `mod+k`, `o`, `shift+?`; `mod` is ⌘ on a Mac and Ctrl elsewhere. */
  key?: string;
  /** Why it cannot be done now; undefined when it can. */
  blocked?: () => string | undefined;
  run: () => void;
}

const project = () => useProject.getState().project;
const needsProject = (): string | undefined => (project() ? undefined : 'Open a model first');
const needsResult = (): string | undefined =>
  needsProject() ?? (project()?.artifacts.length ? undefined : 'Run a precision first');

/** Why the recipe cannot be run now; undefined when it can. */
export function runBlocked(): string | undefined {
  const { project: open, estimates } = useProject.getState();
  if (!open?.model) return 'Open a model first';
  const { precisions } = open.recipe;
  if (precisions.length === 0) return 'Pick at least one precision';
  if (findRunning(useJobs.getState().jobs, 'optimize', open.id)) return 'A run is under way';
  const blocked = estimates.filter((one) => one.blocked && precisions.includes(one.precision));
  return blocked.length === precisions.length && blocked[0] ? blocked[0].blocked : undefined;
}

async function pickAndTake(kind: PickKind): Promise<void> {
  // A recipe is read by the page itself, which the system's own dialog would not let it do.
  await takePicked(kind === 'recipe' ? await pickFiles(kind) : await shell().pick(kind));
}

function exportNow(): void {
  const view = useView.getState();
  const artifacts = project()?.artifacts ?? [];
  const chosen = artifacts.find(({ id, status }) => id === view.exportId && status === 'ok');
  if (view.stage === 'export' && chosen) void exportArtifact(chosen);
  else view.goTo('export');
}

function saveRecipe(): void {
  const open = project();
  if (!open) return;
  const text = `${JSON.stringify(open.recipe, null, 2)}\n`;
  saveBlob(new Blob([text], { type: 'application/json' }), `${open.name}.recipe.json`);
}

function undo(): void {
  const label = useUndo.getState().pop();
  if (label) useView.getState().showToast(`Undone: ${label}.`);
}

export const commands: readonly Command[] = [
  { id: 'open', title: 'Open model', group: 'File', key: 'o', run: () => void pickAndTake('model') },
  {
    id: 'open-folder',
    title: 'Open a SavedModel or TF.js folder',
    group: 'File',
    run: () => void pickAndTake('model-folder'),
  },
  { id: 'open-sample', title: 'Try the sample', group: 'File', run: () => void openSample() },
  {
    id: 'attach-files',
    title: 'Attach sample files',
    group: 'File',
    blocked: needsProject,
    run: () => void pickAndTake('data'),
  },
  {
    id: 'attach-folder',
    title: 'Attach a sample folder',
    group: 'File',
    blocked: needsProject,
    run: () => void pickAndTake('data-folder'),
  },
  {
    id: 'detach',
    title: 'Detach samples',
    group: 'File',
    blocked: () => needsProject() ?? (project()?.data ? undefined : 'No samples are attached'),
    run: () => void detachData(),
  },
  {
    id: 'open-recipe',
    title: 'Apply a recipe file',
    group: 'File',
    blocked: needsProject,
    run: () => void pickAndTake('recipe'),
  },
  { id: 'save-recipe', title: 'Save the recipe', group: 'File', blocked: needsProject, run: saveRecipe },
  {
    id: 'close',
    title: 'Close project',
    group: 'File',
    blocked: needsProject,
    run: () => useProject.getState().close(),
  },
  {
    id: 'run',
    title: 'Run the picked precisions',
    group: 'Run',
    key: 'r',
    blocked: runBlocked,
    run: () => {
      useView.getState().goTo('optimize');
      void runRecipe();
    },
  },
  {
    id: 'compare',
    title: 'Compare results',
    group: 'Run',
    key: 'c',
    blocked: needsResult,
    run: () => useView.getState().goTo('compare'),
  },
  { id: 'export', title: 'Export', group: 'Run', key: 'e', blocked: needsResult, run: exportNow },
  {
    id: 'undo',
    title: 'Undo',
    group: 'Edit',
    key: 'mod+z',
    blocked: () => (useUndo.getState().steps.length > 0 ? undefined : 'Nothing to undo'),
    run: undo,
  },
  ...stages.map(
    (stage, index): Command => ({
      id: `go-${stage}`,
      title: `Go to ${stageNames[stage]}`,
      group: 'Go',
      key: String(index + 1),
      blocked: needsProject,
      run: () => useView.getState().goTo(stage),
    }),
  ),
  {
    id: 'palette',
    title: 'Command palette',
    group: 'View',
    key: 'mod+k',
    run: () => useView.setState((state) => ({ paletteOpen: !state.paletteOpen, menuOpen: false })),
  },
  {
    id: 'log',
    title: 'Activity log',
    group: 'View',
    key: 'l',
    run: () => useView.setState((state) => ({ logOpen: !state.logOpen })),
  },
  {
    id: 'theme',
    title: 'Switch theme',
    group: 'View',
    key: 't',
    run: () => useView.getState().setTheme(nextTheme(useView.getState().theme)),
  },
];

export function commandById(id: string): Command {
  const command = commands.find((one) => one.id === id);
  if (!command) throw new Error(`No command is called ${id}`);
  return command;
}

/** Runs a command unless something blocks it; says whether it ran. */
export function runCommand(command: Command): boolean {
  if (command.blocked?.() !== undefined) return false;
  command.run();
  return true;
}

/** Closes the topmost thing that floats; says whether there was one. */
export function dismissTopmost(): boolean {
  const view = useView.getState();
  if (view.paletteOpen) view.set({ paletteOpen: false });
  else if (view.menuOpen) view.set({ menuOpen: false });
  else if (view.logOpen) view.set({ logOpen: false });
  else if (view.toast) view.dismissToast(view.toast.id);
  else if (view.notices[0]) view.dismissNotice(view.notices[0].id);
  else return false;
  return true;
}
