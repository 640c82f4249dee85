import { Maximize, Minus, Plus } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { GraphView as Graph } from '../../core/contract/views.ts';
import { Button } from '../ui/blocks.tsx';
import { type Colouring, familyColour, familyOf, type OpFamily } from './colour.ts';
import { GraphCanvas } from './graph-canvas.tsx';
import { GraphDetail } from './graph-detail.tsx';
import { GraphSearch } from './graph-search.tsx';
import { layoutGraph } from './layout.ts';
import { collapse, findNode, groupPaths, openingGroups } from './namespace.ts';
import { useCamera } from './use-camera.ts';
import './graph-view.css';

/** Above this many boxes, name-spaces start closed. */
const openUpTo = 120;

interface GraphViewProps {
  graph: Graph;
  colouring?: Colouring;
  /** Controls to show beside the search: what to colour by. */
  tools?: React.ReactNode;
  theme: string;
  /** Name of an operator or of its result, to be opened and selected once. */
  focus?: string;
  onFocused?: (found: boolean) => void;
  /** More about the selected operator, shown beside what the graph knows of it. */
  inspect?: (node: number) => React.ReactNode;
}

/** The model's graph on a canvas: pan, zoom, search, open and close name-spaces, walk by arrow keys. */
export function GraphView(props: GraphViewProps) {
  const { graph, colouring, tools, theme, focus, onFocused, inspect } = props;
  const paths = useMemo(() => groupPaths(graph), [graph]);
  const allGroups = useMemo(() => new Set(paths.flat()), [paths]);
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(() => openingGroups(graph, paths, openUpTo));
  const collapsed = useMemo(() => collapse(graph, paths, expanded), [graph, paths, expanded]);
  const layout = useMemo(() => layoutGraph(collapsed.boxes.length, collapsed.edges), [collapsed]);
  const [selectedId, setSelectedId] = useState<string>();
  const [query, setQuery] = useState('');

  const stage = useRef<HTMLDivElement>(null);
  const control = useCamera(stage);
  const { size, zoomBy, fitView, showAll, reveal } = control;

  const selected = useMemo(() => {
    const at = collapsed.boxes.findIndex(({ id }) => id === selectedId);
    return at < 0 ? undefined : at;
  }, [collapsed, selectedId]);
  const found = useMemo(() => {
    const wanted = query.trim().toLowerCase();
    if (wanted === '') return undefined;
    const matches = (node: number): boolean =>
      graph.nodes[node].id.toLowerCase().includes(wanted) ||
      graph.nodes[node].op.toLowerCase().includes(wanted);
    return new Set(collapsed.boxes.flatMap(({ nodes }, index) => (nodes.some(matches) ? [index] : [])));
  }, [query, graph, collapsed]);

  // What the camera does when the drawing was laid out anew; otherwise it is the person's.
  const afterLayout = useRef<'fit' | 'reveal' | undefined>('fit');
  useEffect(() => {
    if (size.width === 0) return;
    if (afterLayout.current === 'fit') fitView(layout.width, layout.height, layout.x[0] ?? 0);
    else if (afterLayout.current === 'reveal' && selected !== undefined)
      reveal(layout.x[selected], layout.y[selected]);
    afterLayout.current = undefined;
  }, [size, layout, selected, fitView, reveal]);

  const select = (index: number | undefined): void => {
    setSelectedId(index === undefined ? undefined : collapsed.boxes[index].id);
    if (index !== undefined) reveal(layout.x[index], layout.y[index]);
  };

  /** Opens every group around a node and selects it. */
  const goToNode = (node: number): void => {
    afterLayout.current = 'reveal';
    setExpanded(new Set([...expanded, ...paths[node]]));
    setSelectedId(graph.nodes[node].id);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: a wish is met once, whatever was opened since
  useEffect(() => {
    if (focus === undefined) return;
    const at = findNode(graph, focus);
    if (at !== undefined) goToNode(at);
    onFocused?.(at !== undefined);
  }, [focus]);

  const setAll = (open: boolean): void => {
    afterLayout.current = 'fit';
    setExpanded(open ? allGroups : new Set());
  };

  const toggleGroup = (index: number): void => {
    const box = collapsed.boxes[index];
    const group = box.isGroup ? box.id : paths[box.nodes[0]].at(-1);
    if (group === undefined) return;
    const next = new Set(expanded);
    if (!next.delete(group)) next.add(group);
    afterLayout.current = 'reveal';
    setExpanded(next);
    setSelectedId(box.isGroup ? graph.nodes[box.nodes[0]].id : group);
  };

  const selectedBox = selected === undefined ? undefined : collapsed.boxes[selected];
  return (
    <div className="graph">
      <div className="graph-tools">
        <GraphSearch graph={graph} query={query} onQuery={setQuery} onPick={goToNode} />
        {allGroups.size > 0 && (
          <>
            <Button small disabled={expanded.size === allGroups.size} onClick={() => setAll(true)}>
              Expand all
            </Button>
            <Button small disabled={expanded.size === 0} onClick={() => setAll(false)}>
              Collapse all
            </Button>
          </>
        )}
        {tools}
      </div>
      <div className="graph-stage" ref={stage}>
        <GraphCanvas
          drawing={{ graph, collapsed, layout, selected, found, colouring }}
          control={control}
          theme={theme}
          onPick={(index) => setSelectedId(index === undefined ? undefined : collapsed.boxes[index].id)}
          onWalk={select}
          onToggle={toggleGroup}
        />
        {selectedBox && (
          <GraphDetail
            graph={graph}
            box={selectedBox}
            group={selectedBox.isGroup ? undefined : paths[selectedBox.nodes[0]].at(-1)}
            colouring={colouring}
            inspect={inspect}
            onToggle={() => selected !== undefined && toggleGroup(selected)}
          />
        )}
        <div className="graph-legend">{colouring ? colouring.legend : <FamilyLegend graph={graph} />}</div>
        <div className="graph-zoom">
          <Button
            variant="quiet"
            small
            icon={<Minus size={14} />}
            aria-label="Zoom out"
            onClick={() => zoomBy(0.8)}
          />
          <Button
            variant="quiet"
            small
            icon={<Plus size={14} />}
            aria-label="Zoom in"
            onClick={() => zoomBy(1.25)}
          />
          <Button
            variant="quiet"
            small
            icon={<Maximize size={14} />}
            aria-label="Fit the graph"
            onClick={() => showAll(layout.width, layout.height)}
          />
        </div>
      </div>
    </div>
  );
}

function FamilyLegend({ graph }: { graph: Graph }) {
  const families = useMemo(
    () => [...new Set(graph.nodes.map(({ op }) => familyOf(op)))] as OpFamily[],
    [graph],
  );
  return (
    <ul aria-label="Operator families">
      {families.map((family) => (
        <li key={family}>
          <i style={{ background: familyColour[family] }} />
          {family}
        </li>
      ))}
    </ul>
  );
}
