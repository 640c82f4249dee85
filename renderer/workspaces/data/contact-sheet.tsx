import { useEffect, useRef, useState } from 'react';
import type { SampleView } from '../../../core/contract/views.ts';
import { call } from '../../client/core.ts';
import { attempt } from '../../state/actions/attempt.ts';
import { Button } from '../../ui/blocks.tsx';
import { formatInteger } from '../../ui/format.ts';

const pageSize = 48;

/** The samples after preprocessing, as the network gets them. */
export function ContactSheet({ projectId, samples }: { projectId: string; samples: number }) {
  const [shown, setShown] = useState<readonly SampleView[]>([]);
  const [loading, setLoading] = useState(true);
  const alive = useRef(true);

  const load = async (offset: number): Promise<void> => {
    setLoading(true);
    const page = await attempt('Preparing the contact sheet', () =>
      call('data.preview', { projectId, offset, count: Math.min(pageSize, Math.max(1, samples - offset)) }),
    );
    if (!alive.current) return;
    setLoading(false);
    if (page) setShown((before) => (before.length === offset ? [...before, ...page] : before));
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the sheet is made anew (by key) when the samples change
  useEffect(() => {
    alive.current = true;
    void load(0);
    return () => {
      alive.current = false;
    };
  }, []);

  return (
    <section className="card" aria-label="Contact sheet">
      <ul className="sheet">
        {shown.map(({ index, image, label }) => (
          <li key={index}>
            <figure className="sheet-item">
              <div className="sheet-image">
                {image ? (
                  <img src={image} alt={`Sample ${index}${label ? `, ${label}` : ''}`} loading="lazy" />
                ) : (
                  'no picture'
                )}
              </div>
              <figcaption>
                <strong className="truncate">{label ?? ''}</strong>
                <span className="num">{index}</span>
              </figcaption>
            </figure>
          </li>
        ))}
        {loading &&
          shown.length === 0 &&
          Array.from({ length: Math.min(pageSize, samples) }, (_, index) => index).map((index) => (
            <li key={index}>
              <div className="sheet-image" />
            </li>
          ))}
      </ul>
      {shown.length > 0 && (
        <div className="sheet-more">
          <span className="muted small num">
            {formatInteger(shown.length)} of {formatInteger(samples)}
          </span>
          {shown.length < samples && (
            <Button small disabled={loading} onClick={() => void load(shown.length)}>
              Show more
            </Button>
          )}
        </div>
      )}
    </section>
  );
}
