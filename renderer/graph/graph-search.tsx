import { Search } from 'lucide-react';
import { useMemo } from 'react';
import type { GraphView } from '../../core/contract/views.ts';
import { plural } from '../ui/format.ts';
import { VirtualList } from '../ui/virtual-list.tsx';

interface GraphSearchProps {
  graph: GraphView;
  query: string;
  onQuery: (query: string) => void;
  onPick: (node: number) => void;
}

const rowHeight = 26;

/** Finds operators by name or type. */
export function GraphSearch({ graph, query, onQuery, onPick }: GraphSearchProps) {
  const found = useMemo(() => {
    const wanted = query.trim().toLowerCase();
    if (wanted === '') return [];
    return graph.nodes.flatMap(({ id, op }, index) =>
      id.toLowerCase().includes(wanted) || op.toLowerCase().includes(wanted) ? [index] : [],
    );
  }, [graph, query]);
  const pick = (node: number): void => {
    onQuery('');
    onPick(node);
  };

  return (
    <search className="graph-search">
      <Search size={14} aria-hidden />
      <input
        className="input"
        type="search"
        aria-label="Find an operator"
        placeholder={`Find in ${plural(graph.nodes.length, 'operator')}`}
        value={query}
        spellCheck={false}
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && found.length > 0) pick(found[0]);
          if (event.key === 'Escape' && query !== '') {
            event.preventDefault();
            event.stopPropagation();
            onQuery('');
          }
        }}
      />
      {query.trim() !== '' && (
        <div className="graph-found">
          <p>
            {found.length === 0
              ? 'No operator has this in its name or type.'
              : `${plural(found.length, 'operator')} found`}
          </p>
          <VirtualList
            items={found}
            rowHeight={rowHeight}
            maxHeight={rowHeight * 10}
            label="Operators found"
            keyOf={(node) => node}
          >
            {(node) => (
              <button type="button" onClick={() => pick(node)}>
                <span>{graph.nodes[node].op}</span>
                <code className="truncate muted">{graph.nodes[node].id}</code>
              </button>
            )}
          </VirtualList>
        </div>
      )}
    </search>
  );
}
