import { X } from 'lucide-react';
import { useEffect } from 'react';
import { reconnect } from '../client/core.ts';
import { useSession } from '../state/session.ts';
import { Button } from '../ui/blocks.tsx';

const recoveredMs = 6000;

/** Says that the core was lost, and that it is back. */
export function ConnectionBanner() {
  const connection = useSession((state) => state.connection);
  const lostReason = useSession((state) => state.lostReason);
  const recovered = useSession((state) => state.recovered);

  useEffect(() => {
    if (!recovered) return;
    const timer = setTimeout(() => useSession.getState().dismissRecovered(), recoveredMs);
    return () => clearTimeout(timer);
  }, [recovered]);

  if (recovered) {
    return (
      <div className="banner banner-ok" role="status">
        <span>
          The core is back. Results that were written are kept; a job that was under way has to be run again.
        </span>
        <Button
          variant="quiet"
          small
          icon={<X size={14} />}
          aria-label="Dismiss"
          onClick={() => useSession.getState().dismissRecovered()}
        />
      </div>
    );
  }
  if (connection === 'ready' || lostReason === undefined) return null;
  return (
    <div className="banner" role="alert">
      <span>{lostReason} Connecting again…</span>
      <Button small onClick={reconnect}>
        Try now
      </Button>
    </div>
  );
}
