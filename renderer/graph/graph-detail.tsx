import type { ReactNode } from 'react';
import type { GraphView } from '../../core/contract/views.ts';
import { Button } from '../ui/blocks.tsx';
import { formatCount, formatInteger, formatShape } from '../ui/format.ts';
import type { Colouring } from './colour.ts';
import type { Box } from './namespace.ts';

interface GraphDetailProps {
  graph: GraphView;
  box: Box;
  /** The innermost group around a plain node. */
  group?: string;
  colouring?: Colouring;
  onToggle: () => void;
  /** More about a plain node, by its place in the graph. */
  inspect?: (node: number) => ReactNode;
}

/** What the selected box is. */
export function GraphDetail({ graph, box, group, colouring, onToggle, inspect }: GraphDetailProps) {
  const nodes = box.nodes.map((index) => graph.nodes[index]);
  const sum = (pick: (node: (typeof nodes)[number]) => number): number =>
    nodes.reduce((total, node) => total + pick(node), 0);
  return (
    <div className="graph-detail" role="status">
      <h3 className="mono">{box.id}</h3>
      <dl className="keyvalues">
        {box.isGroup ? (
          <>
            <dt>Operators</dt>
            <dd className="num">{formatInteger(nodes.length)}</dd>
          </>
        ) : (
          <>
            <dt>Operator</dt>
            <dd>{nodes[0].op}</dd>
            <dt>Output</dt>
            <dd className="mono">{formatShape(nodes[0].outputShape)}</dd>
          </>
        )}
        <dt>Parameters</dt>
        <dd className="num">{formatCount(sum(({ parameters }) => parameters))}</dd>
        <dt>Multiply-adds</dt>
        <dd className="num">{formatCount(sum(({ macs }) => macs))}</dd>
        {colouring?.text(box.nodes) && (
          <>
            <dt>Coloured by</dt>
            <dd>{colouring.text(box.nodes)}</dd>
          </>
        )}
      </dl>
      {!box.isGroup && inspect?.(box.nodes[0])}
      {(box.isGroup || group) && (
        <Button small onClick={onToggle}>
          {box.isGroup ? 'Open the group' : 'Close its group'}
        </Button>
      )}
    </div>
  );
}
