import { create } from 'zustand';
import type { DoctorView, ProjectSummary } from '../../core/contract/views.ts';
import type { ConnectionState } from '../client/connection.ts';

interface SessionState {
  connection: ConnectionState;
  /** Why the core was lost; shown until it is back. */
  lostReason?: string;
  /** Set when the core came back after a loss, so that the banner can say so. */
  recovered: boolean;
  version?: string;
  doctor?: DoctorView;
  recents: readonly ProjectSummary[];
  setConnection(connection: ConnectionState, reason?: string): void;
  dismissRecovered(): void;
}

/** The connection to the core and what it said about itself. */
export const useSession = create<SessionState>((set) => ({
  connection: 'connecting',
  recovered: false,
  recents: [],
  setConnection: (connection, reason) =>
    set((state) => ({
      connection,
      lostReason: connection === 'ready' ? undefined : (reason ?? state.lostReason),
      recovered: connection === 'ready' ? state.lostReason !== undefined : false,
    })),
  dismissRecovered: () => set({ recovered: false }),
}));
