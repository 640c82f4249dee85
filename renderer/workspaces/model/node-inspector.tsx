import { useEffect, useMemo } from 'react';
import type { GraphView, WeightView } from '../../../core/contract/views.ts';
import { OverrideSelect } from '../../parts/override-select.tsx';
import { loadOperators, loadWeights } from '../../state/actions/model.ts';
import { operatorsBecome } from '../../state/overrides.ts';
import { useProject } from '../../state/project.ts';
import { useView } from '../../state/view.ts';
import { ChartFrame } from '../../ui/chart-frame.tsx';
import { formatCount, formatPercent, formatShape, formatSignificant } from '../../ui/format.ts';
import { HistogramChart } from '../../ui/histogram-chart.tsx';

/** Constants shorter than this are read in the file, not drawn. */
const leastDrawn = 16;

/** The weights of an operator as distributions, and the precision that it gets in the next run. */
export function NodeInspector({ graph, node }: { graph: GraphView; node: number }) {
  const { id, parameters } = graph.nodes[node];
  const weights = useProject((state) => state.weights[id]);
  const operators = useProject((state) => state.operators);
  useEffect(() => {
    void loadOperators();
    if (parameters > 0) void loadWeights(id);
  }, [id, parameters]);
  const becomes = useMemo(() => operatorsBecome(graph, operators ?? []), [graph, operators])[node];
  return (
    <div className="inspector">
      {becomes && <OverrideSelect name={becomes.name} />}
      {becomes && becomes.name !== id && !graph.nodes[node].outputs?.includes(becomes.name) && (
        <p className="muted small">
          Fused into <code>{becomes.name}</code>.
        </p>
      )}
      {weights
        ?.filter(({ elements }) => elements >= leastDrawn)
        .map((weight) => (
          <Weight key={weight.name} weight={weight} />
        ))}
    </div>
  );
}

function Weight({ weight }: { weight: WeightView }) {
  const { name, shape, dtype, elements, min, max, mean, deviation, zeroShare, histogram } = weight;
  const zeros = zeroShare > 0.001 ? `, ${formatPercent(zeroShare)} zero` : '';
  return (
    <ChartFrame
      title={shape.length > 1 ? 'Weights' : 'Constants per channel'}
      level={3}
      fileStem={`${name.replaceAll('/', '-')}-weights`}
      data={{
        columns: ['from', 'to', 'elements'],
        rows: histogram.counts.map((count, bin) => [
          histogram.start + bin * histogram.width,
          histogram.start + (bin + 1) * histogram.width,
          count,
        ]),
      }}
      note={
        <>
          <code>{name}</code> {dtype} {formatShape(shape)}: {formatCount(elements)} between{' '}
          {formatSignificant(min)} and {formatSignificant(max)}, mean {formatSignificant(mean)} ±{' '}
          {formatSignificant(deviation)}
          {zeros}
        </>
      }
      onCopied={(text) => useView.getState().showToast(text)}
    >
      <HistogramChart source={histogram} height={104} />
    </ChartFrame>
  );
}
