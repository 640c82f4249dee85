import { useEffect, useMemo, useState } from 'react';
import { GraphView } from '../../graph/graph-view.tsx';
import { loadGraph } from '../../state/actions/project.ts';
import { useProject } from '../../state/project.ts';
import { useView } from '../../state/view.ts';
import { BarList, Hollow, IssueLine } from '../../ui/blocks.tsx';
import { formatInteger } from '../../ui/format.ts';
import { ColourPicker, useColouring } from './colour-picker.tsx';
import { DynamicStops } from './dynamic-stops.tsx';
import { FixedInputs } from './fixed-inputs.tsx';
import { ModelCard } from './model-card.tsx';
import { NodeInspector } from './node-inspector.tsx';
import { OpenDims } from './open-dims.tsx';
import './model-stage.css';

/** What the model is: card, findings, operators, graph. */
export function ModelStage() {
  const project = useProject((state) => state.project);
  const graph = useProject((state) => state.graph);
  const theme = useView((state) => state.theme);
  const focus = useView((state) => state.graphFocus);
  const [colourBy, setColourBy] = useState('type');
  const colouring = useColouring(graph, colourBy);
  const model = project?.model;
  const projectId = project?.id;
  const nodes = model?.graph.nodes ?? 0;

  useEffect(() => {
    if (projectId && nodes > 0 && !graph) void loadGraph(projectId);
  }, [projectId, nodes, graph]);

  const operators = useMemo(
    () => Object.entries(model?.graph.opHistogram ?? {}).sort(([, a], [, b]) => b - a),
    [model],
  );

  if (!project || !model) {
    return (
      <div className="page">
        <Hollow title="The model is being read">Its card appears here as soon as it is.</Hollow>
      </div>
    );
  }
  const { issues } = model;
  const isRead = model.graph.nodes > 0;
  return (
    <div className="model">
      <div className="model-side">
        <ModelCard model={model} />
        {issues.length > 0 && (
          <section className="card" aria-label="Issues">
            <div className="card-title">
              <h2>Issues</h2>
              <span className="muted small">{countBySeverity(issues)}</span>
            </div>
            <ul className="model-issues">
              {issues.map((issue) => (
                <IssueLine key={`${issue.code}${issue.node}${issue.message}`} issue={issue} />
              ))}
            </ul>
          </section>
        )}
        {model.graph.dynamicDims.length > 0 && <OpenDims projectId={project.id} model={model} />}
        <FixedInputs key={JSON.stringify(project.recipe.fixed)} project={project} model={model} />
        {isRead && model.dynamic && <DynamicStops dynamic={model.dynamic} />}
        {isRead && (
          <section className="card" aria-label="Operators">
            <div className="card-title">
              <h2>Operators</h2>
              <span className="muted small num">{formatInteger(model.graph.nodes)}</span>
            </div>
            <BarList
              label="Operators by type"
              items={operators.map(([op, count]) => ({
                key: op,
                label: op,
                value: count,
                text: formatInteger(count),
              }))}
            />
          </section>
        )}
      </div>
      <section className="model-graph" aria-label="Graph">
        {!isRead && (
          <Hollow title="There is no graph to show">
            The file was opened, but its layers could not be read. The issues name each one and what to do
            about it.
          </Hollow>
        )}
        {isRead && graph && (
          <GraphView
            key={project.id}
            graph={graph}
            colouring={colouring}
            theme={theme}
            focus={focus}
            inspect={(node) => <NodeInspector graph={graph} node={node} />}
            onFocused={(found) => {
              const view = useView.getState();
              if (!found) view.showToast(`The conversion made ${focus}; the source has no such operator.`);
              view.set({ graphFocus: undefined });
            }}
            tools={<ColourPicker value={colourBy} onChange={setColourBy} />}
          />
        )}
      </section>
    </div>
  );
}

function countBySeverity(issues: readonly { severity: string }[]): string {
  return ['error', 'warning', 'info']
    .map((severity) => ({ severity, count: issues.filter((issue) => issue.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) =>
      severity === 'info' ? `${count} info` : `${count} ${severity}${count === 1 ? '' : 's'}`,
    )
    .join(', ');
}
