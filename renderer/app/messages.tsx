import { X } from 'lucide-react';
import { useEffect } from 'react';
import { useView } from '../state/view.ts';
import { Button, ErrorPanel } from '../ui/blocks.tsx';

const toastMs = 8000;

/** What failed, above the stage, until dismissed. */
export function Notices() {
  const notices = useView((state) => state.notices);
  if (notices.length === 0) return null;
  return (
    <div className="notices">
      {notices.map(({ id, title, error }) => (
        <ErrorPanel
          key={id}
          title={title}
          error={error}
          onDismiss={() => useView.getState().dismissNotice(id)}
        />
      ))}
    </div>
  );
}

/** One short message at a time, with an action while it stands. */
export function ToastBox() {
  const toast = useView((state) => state.toast);
  useEffect(() => {
    if (!toast) return;
    const timer = setTimeout(() => useView.getState().dismissToast(toast.id), toastMs);
    return () => clearTimeout(timer);
  }, [toast]);

  return (
    <div role="status" aria-live="polite">
      {toast && (
        <div className="toast">
          <span>{toast.text}</span>
          {toast.action && (
            <Button
              small
              onClick={() => {
                useView.getState().dismissToast(toast.id);
                toast.action?.run();
              }}
            >
              {toast.action.label}
            </Button>
          )}
          <Button
            variant="quiet"
            small
            icon={<X size={14} />}
            aria-label="Dismiss message"
            onClick={() => useView.getState().dismissToast(toast.id)}
          />
        </div>
      )}
    </div>
  );
}
