import { ArrowDown, ArrowUp, Share, Trash2 } from 'lucide-react';
import { Fragment, useMemo, useState } from 'react';
import { removeArtifact } from '../../state/actions/results.ts';
import { type CompareRow, type SortKey, sortRows, sourceRowId } from '../../state/compare-rows.ts';
import { useView } from '../../state/view.ts';
import { Button, classes, RowToggle } from '../../ui/blocks.tsx';
import { copyText } from '../../ui/copy-chart.ts';
import { toCsv } from '../../ui/csv.ts';
import { PrecisionMark } from '../../ui/marker.tsx';
import { comparisonTable } from './chart-data.ts';
import { CompareCell } from './compare-cell.tsx';
import { RowDetail } from './row-detail.tsx';

interface Column {
  key: SortKey;
  title: string;
  right?: boolean;
  hint?: string;
}

const columns: readonly Column[] = [
  { key: 'name', title: 'Precision' },
  { key: 'size', title: 'Size', right: true, hint: 'Bytes of the file, and that of the source' },
  {
    key: 'quality',
    title: 'Quality',
    right: true,
    hint: 'SQNR over all outputs and samples, higher is better',
  },
  { key: 'agreement', title: 'Agreement', right: true, hint: 'Samples whose first answer is the source’s' },
  {
    key: 'accuracy',
    title: 'Accuracy',
    right: true,
    hint: 'On the labels, and the difference to the source',
  },
  { key: 'latency', title: 'Latency', right: true, hint: 'Median, and that of the source' },
  { key: 'gates', title: 'Gates', hint: 'Checks of the written file' },
  { key: 'warnings', title: 'Warnings', right: true },
  { key: 'findings', title: 'Findings', right: true, hint: 'Causes of lost quality that were found' },
];

interface CompareTableProps {
  rows: readonly CompareRow[];
  /** Ids of the rows that are open. */
  open: ReadonlySet<string>;
  onToggle: (id: string) => void;
  onShow: (id: string) => void;
}

/** All figures in one sortable table; a row opens into its detail, the best point of a search into the others. */
export function CompareTable({ rows, open, onToggle, onShow }: CompareTableProps) {
  const [sort, setSort] = useState<{ key: SortKey; direction: 'ascending' | 'descending' }>();
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const sorted = useMemo(() => (sort ? sortRows(rows, sort.key, sort.direction) : rows), [rows, sort]);
  const isShown = ({ id, furtherOf }: CompareRow): boolean =>
    furtherOf === undefined || unfolded.has(furtherOf) || open.has(id);
  const has = {
    agreement: rows.some(({ agreement }) => agreement !== undefined),
    accuracy: rows.some(({ accuracy }) => accuracy !== undefined),
  };
  const shown = columns.filter(({ key }) => (key === 'agreement' || key === 'accuracy' ? has[key] : true));

  const unfold = (id: string): void => {
    const next = new Set(unfolded);
    if (!next.delete(id)) next.add(id);
    setUnfolded(next);
  };
  const sortBy = (key: SortKey): void =>
    setSort((before) =>
      before?.key === key
        ? { key, direction: before.direction === 'ascending' ? 'descending' : 'ascending' }
        : { key, direction: 'ascending' },
    );
  const copy = async (): Promise<void> => {
    const how = await copyText(toCsv(comparisonTable(sorted)), 'comparison.csv');
    useView
      .getState()
      .showToast(how === 'copied' ? 'The table is on the clipboard as CSV.' : 'The table was saved as CSV.');
  };

  return (
    <section className="card" aria-label="All results">
      <div className="card-title">
        <h2>All results</h2>
        <Button small onClick={() => void copy()}>
          Copy as CSV
        </Button>
      </div>
      <div className="table-scroll">
        <table className="table compare-table">
          <thead>
            <tr>
              {shown.map(({ key, title, right, hint }) => (
                <th
                  key={key}
                  scope="col"
                  className={right ? 'right' : undefined}
                  aria-sort={sort?.key === key ? sort.direction : 'none'}
                >
                  <button type="button" title={hint} onClick={() => sortBy(key)}>
                    {title}
                    {sort?.key === key &&
                      (sort.direction === 'ascending' ? (
                        <ArrowUp size={12} aria-hidden />
                      ) : (
                        <ArrowDown size={12} aria-hidden />
                      ))}
                  </button>
                </th>
              ))}
              <th scope="col">
                <span className="sr-only">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.filter(isShown).map((row) => (
              <Fragment key={row.id}>
                <Row
                  row={row}
                  keys={shown.map(({ key }) => key)}
                  isOpen={open.has(row.id)}
                  onToggle={() => onToggle(row.id)}
                  further={rows.filter(({ furtherOf }) => furtherOf === row.id).length}
                  isUnfolded={unfolded.has(row.id)}
                  onUnfold={() => unfold(row.id)}
                />
                {open.has(row.id) && row.artifact && (
                  <tr className="detail">
                    <td colSpan={shown.length + 1}>
                      <RowDetail artifact={row.artifact} onShow={({ id }) => onShow(id)} />
                    </td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface RowProps {
  row: CompareRow;
  keys: readonly SortKey[];
  isOpen: boolean;
  onToggle: () => void;
  /** Number of further points of its search. */
  further: number;
  isUnfolded: boolean;
  onUnfold: () => void;
}

function Row({ row, keys, isOpen, onToggle, further, isUnfolded, onUnfold }: RowProps) {
  const { artifact } = row;
  return (
    <tr className={classes(isOpen && 'open', row.id === sourceRowId && 'source')} data-row={row.id}>
      {keys.map((key) =>
        key === 'name' ? (
          <th key={key} scope="row" style={{ fontWeight: 400, color: 'inherit' }}>
            <span className={classes('compare-name', row.furtherOf !== undefined && 'compare-further')}>
              {artifact ? (
                <RowToggle isOpen={isOpen} onToggle={onToggle}>
                  <PrecisionMark precision={row.precision} />
                  {row.name}
                </RowToggle>
              ) : (
                <span className="compare-name" style={{ paddingLeft: 20 }}>
                  <PrecisionMark precision="float32" hollow />
                  source
                </span>
              )}
              {further > 0 && (
                <Button
                  small
                  aria-expanded={isUnfolded}
                  aria-label={`${further} more of its front`}
                  title="Further points of the search that nothing beats in both size and quality"
                  onClick={onUnfold}
                >
                  +{further}
                </Button>
              )}
            </span>
          </th>
        ) : (
          <td key={key} className={columns.find((column) => column.key === key)?.right ? 'right' : undefined}>
            <CompareCell row={row} column={key} />
          </td>
        ),
      )}
      <td className="right">
        {artifact && (
          <>
            {!row.failed && (
              <Button
                variant="quiet"
                small
                icon={<Share size={13} />}
                aria-label={`Export ${row.name}`}
                onClick={() => {
                  useView.getState().set({ exportId: artifact.id });
                  useView.getState().goTo('export');
                }}
              />
            )}
            <Button
              variant="quiet"
              small
              icon={<Trash2 size={13} />}
              aria-label={`Remove ${row.name}`}
              onClick={() => void removeArtifact(artifact)}
            />
          </>
        )}
      </td>
    </tr>
  );
}
