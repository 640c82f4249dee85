import { Download } from 'lucide-react';
import { useEffect, useState } from 'react';
import { shell } from '../client/core.ts';
import { attempt } from '../state/actions/attempt.ts';
import { describeDrop, takePicked } from '../state/actions/drop.ts';
import { useProject } from '../state/project.ts';

/** The whole window takes drops at all times, and says while dragging what a drop would do. */
export function DropTarget() {
  const [message, setMessage] = useState<string>();

  useEffect(() => {
    // Entering a child fires before leaving its parent: only when as many left as entered is the pointer outside.
    let depth = 0;
    const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    const enter = (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth += 1;
      const items = [...(event.dataTransfer?.items ?? [])].map(({ kind, type }) => ({ kind, type }));
      setMessage(describeDrop(items, useProject.getState().project?.name));
    };
    const over = (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    };
    const leave = (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setMessage(undefined);
    };
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      depth = 0;
      setMessage(undefined);
      if (!event.dataTransfer) return;
      const reading = shell().fromDrop(event.dataTransfer);
      void attempt('Reading what was dropped', async () => takePicked(await reading));
    };
    const listeners = { dragenter: enter, dragover: over, dragleave: leave, drop };
    for (const [name, listener] of Object.entries(listeners))
      window.addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(listeners))
        window.removeEventListener(name, listener as EventListener);
    };
  }, []);

  if (message === undefined) return null;
  return (
    <div className="drop" role="status">
      <div>
        <Download size={36} aria-hidden />
        <p>{message}</p>
      </div>
    </div>
  );
}
