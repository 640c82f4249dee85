import { create } from 'zustand';
import type { ErrorView } from '../../core/contract/views.ts';
import { applyTheme, readThemeChoice, type ThemeChoice } from '../theme/theme.ts';

export const stages = ['model', 'data', 'optimize', 'compare', 'profile', 'export'] as const;
export type Stage = (typeof stages)[number];

export const stageNames: Record<Stage, string> = {
  model: 'Model',
  data: 'Data',
  optimize: 'Optimize',
  compare: 'Compare',
  profile: 'Profile',
  export: 'Export',
};

/** Stands for the source model where results are picked by id. */
export const sourceId = 'source';

export interface Notice {
  id: number;
  /** What was being done: "Opening net.h5". */
  title: string;
  error: ErrorView;
}

export interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
}

interface ViewState {
  stage: Stage;
  theme: ThemeChoice;
  paletteOpen: boolean;
  logOpen: boolean;
  menuOpen: boolean;
  notices: readonly Notice[];
  toast?: Toast;
  /** Which artifacts the Profile and Export stages work on. */
  profileIds: readonly string[];
  exportId?: string;
  /** Name of the operator that the Model stage is to show in the graph. */
  graphFocus?: string;
  goTo(stage: Stage): void;
  setTheme(theme: ThemeChoice): void;
  set(
    change: Partial<
      Pick<ViewState, 'paletteOpen' | 'logOpen' | 'menuOpen' | 'profileIds' | 'exportId' | 'graphFocus'>
    >,
  ): void;
  notify(title: string, error: ErrorView): void;
  dismissNotice(id: number): void;
  showToast(text: string, action?: Toast['action']): void;
  dismissToast(id: number): void;
}

let nextId = 1;
const noticesKept = 3;

/** What is on the screen: the stage, what floats above it, and messages. */
export const useView = create<ViewState>((set) => ({
  stage: 'model',
  theme: typeof window === 'undefined' ? 'system' : readThemeChoice(),
  paletteOpen: false,
  logOpen: false,
  menuOpen: false,
  notices: [],
  profileIds: [],
  goTo: (stage) => set({ stage }),
  setTheme: (theme) => {
    applyTheme(theme);
    set({ theme });
  },
  set: (change) => set(change),
  notify: (title, error) =>
    set((state) => ({ notices: [{ id: nextId++, title, error }, ...state.notices].slice(0, noticesKept) })),
  dismissNotice: (id) => set((state) => ({ notices: state.notices.filter((one) => one.id !== id) })),
  showToast: (text, action) => set({ toast: { id: nextId++, text, action } }),
  dismissToast: (id) => set((state) => (state.toast?.id === id ? { toast: undefined } : state)),
}));
