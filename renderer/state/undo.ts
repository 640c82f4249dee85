import { create } from 'zustand';

export interface UndoStep {
  /** What is taken back: "precision int8 added". */
  label: string;
  /** Steps with one key that follow each other closely are taken back together: the letters typed into one field. */
  key?: string;
  undo(): void;
}

interface UndoState {
  steps: readonly (UndoStep & { at: number })[];
  push(step: UndoStep, now?: number): void;
  /** Takes back the last step and returns its label. */
  pop(): string | undefined;
  clear(): void;
}

const capacity = 100;
const mergeWithinMs = 1200;

/** Recipe edits and removed results, in the order they were made. */
export const useUndo = create<UndoState>((set, get) => ({
  steps: [],
  push: (step, now = Date.now()) =>
    set((state) => {
      const last = state.steps.at(-1);
      if (last && step.key && last.key === step.key && now - last.at < mergeWithinMs) {
        return { steps: [...state.steps.slice(0, -1), { ...last, at: now }] };
      }
      return { steps: [...state.steps, { ...step, at: now }].slice(-capacity) };
    }),
  pop: () => {
    const last = get().steps.at(-1);
    if (!last) return undefined;
    set((state) => ({ steps: state.steps.slice(0, -1) }));
    last.undo();
    return last.label;
  },
  clear: () => set({ steps: [] }),
}));
