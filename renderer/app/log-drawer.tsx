import { X } from 'lucide-react';
import { useJobs } from '../state/jobs.ts';
import { useSession } from '../state/session.ts';
import { useView } from '../state/view.ts';
import { Button, Chip, classes } from '../ui/blocks.tsx';
import { formatBytes, plural } from '../ui/format.ts';
import { VirtualList } from '../ui/virtual-list.tsx';

const rowHeight = 22;
const logHeight = 300;

/** What the studio did, line by line, and what this machine has to run models with. */
export function LogDrawer() {
  const log = useJobs((state) => state.log);
  const doctor = useSession((state) => state.doctor);
  const version = useSession((state) => state.version);
  return (
    <section className="drawer" aria-label="Activity log">
      <div className="drawer-head">
        <h2>Activity</h2>
        <Button
          variant="quiet"
          small
          icon={<X size={14} />}
          aria-label="Close the activity log"
          onClick={() => useView.getState().set({ logOpen: false })}
        />
      </div>
      <div className="drawer-body">
        <div className="drawer-log">
          {log.length === 0 ? (
            <p className="log-empty muted">Nothing happened yet.</p>
          ) : (
            <VirtualList
              items={log}
              rowHeight={rowHeight}
              maxHeight={logHeight}
              label="Log lines"
              keyOf={({ id }) => id}
              followEnd
            >
              {({ time, level, message }) => (
                <div className={classes('log-line', level !== 'info' && `log-${level}`)}>
                  <span className="num muted">{timeOfDay(time)}</span>
                  <span>{level}</span>
                  <span className="truncate" title={message}>
                    {message}
                  </span>
                </div>
              )}
            </VirtualList>
          )}
        </div>
        <div className="drawer-side">
          {doctor ? (
            <>
              <p className="muted">
                Whittle {version ?? doctor.version} · Node {doctor.node} · {doctor.platform} ·{' '}
                {plural(doctor.cores, 'core')} · {formatBytes(doctor.memoryBytes)}
              </p>
              <ul style={{ marginTop: 8 }}>
                {doctor.engines.map(({ id, name, available, detail, hint }) => (
                  <li key={id}>
                    <Chip tone={available ? 'ok' : 'warning'}>{available ? 'there' : 'missing'}</Chip>{' '}
                    <strong>{name}</strong>
                    <br />
                    <span className="muted">{available ? detail : (hint ?? detail)}</span>
                  </li>
                ))}
              </ul>
            </>
          ) : (
            <p className="muted">Looking for engines…</p>
          )}
        </div>
      </div>
    </section>
  );
}

function timeOfDay(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : date.toLocaleTimeString([], { hour12: false });
}
