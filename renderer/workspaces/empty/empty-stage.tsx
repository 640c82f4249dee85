import { Box, Download, X } from 'lucide-react';
import { commandById } from '../../commands/table.ts';
import { forgetProject, openProject } from '../../state/actions/project.ts';
import { useSession } from '../../state/session.ts';
import { Button } from '../../ui/blocks.tsx';
import { formatAgo, formatBytes, plural } from '../../ui/format.ts';
import { modelFormatName } from '../../ui/format-names.ts';
import './empty-stage.css';

const recentsShown = 3;

/** The first screen: drop a model, or go on with a recent one, or try the sample. */
export function EmptyStage() {
  const recents = useSession((state) => state.recents);
  const connection = useSession((state) => state.connection);
  const latest = [...recents].sort((a, b) => b.openedAt.localeCompare(a.openedAt)).slice(0, recentsShown);
  const offline = connection === 'ready' ? undefined : 'Connecting to the core';
  return (
    <section className="empty" aria-label="Start">
      <div className="empty-drop">
        <Download size={34} strokeWidth={1.5} aria-hidden />
        <h1>Drop a model here</h1>
        <p className="empty-formats">
          Keras .h5 and .keras · ONNX · TensorFlow Lite .tflite · SavedModel · TF.js
        </p>
        <div className="empty-buttons">
          <Button variant="primary" blocked={offline} onClick={commandById('open').run}>
            Open model
          </Button>
          <Button blocked={offline} onClick={commandById('open-sample').run}>
            Try the sample
          </Button>
        </div>
      </div>
      {recents.length > 0 && (
        <div className="empty-recents">
          <h2>Recent</h2>
          <ul className="card" aria-label="Recent projects">
            {latest.map(({ id, name, format, sizeBytes, openedAt, artifacts }) => (
              <li key={id} className="empty-recent">
                <button type="button" onClick={() => void openProject(id, name)}>
                  <Box size={15} aria-hidden />
                  <span className="truncate" title={name}>
                    {name}
                  </span>
                  <span className="muted small">
                    {modelFormatName(format)} · {formatBytes(sizeBytes)}
                    {artifacts > 0 && ` · ${plural(artifacts, 'result')}`} · {formatAgo(openedAt, Date.now())}
                  </span>
                </button>
                <Button
                  variant="quiet"
                  small
                  icon={<X size={13} />}
                  aria-label={`Forget ${name}`}
                  onClick={() => void forgetProject(id, name)}
                />
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
