import type { ArtifactDetail, ArtifactView } from '../../../core/contract/views.ts';
import { OperatorLink } from '../../parts/operator-link.tsx';
import { OverrideSelect } from '../../parts/override-select.tsx';
import { TrialButton } from '../../parts/trial-button.tsx';
import { useView } from '../../state/view.ts';
import { precisionLook } from '../../theme/precision.ts';
import { ChartFrame } from '../../ui/chart-frame.tsx';
import { formatDecibels, formatPercent, formatSignificant } from '../../ui/format.ts';
import { HistogramChart } from '../../ui/histogram-chart.tsx';

type Operator = ArtifactDetail['operators'][number];

interface OperatorPanelProps {
  artifact: ArtifactView;
  operator: Operator;
  onShow: (result: ArtifactView) => void;
}

/** One operator of a file: what its result holds beside the source's, and what can be done about it. */
export function OperatorPanel({ artifact, operator, onShow }: OperatorPanelProps) {
  const { name, op, sqnrDb, activation } = operator;
  const quantized = activation?.quantized;
  const keep = { overrides: [{ match: name, precision: 'float32' as const }] };
  return (
    <div className="operator-panel">
      <p>
        <strong>{op}</strong> <OperatorLink name={name} />
      </p>
      <dl className="keyvalues">
        <dt>Quality</dt>
        <dd className="num">{formatDecibels(sqnrDb)}</dd>
        {activation && (
          <>
            <dt>Source</dt>
            <dd className="num">
              {formatSignificant(activation.min)} to {formatSignificant(activation.max)}, 99.9 % of it{' '}
              {formatSignificant(activation.bulk[0])} to {formatSignificant(activation.bulk[1])}
            </dd>
          </>
        )}
        {quantized && (
          <>
            <dt>{quantized.dtype}</dt>
            <dd className="num">
              {formatSignificant(quantized.low)} to {formatSignificant(quantized.high)} in steps of{' '}
              {formatSignificant(quantized.step)}, {formatPercent(quantized.clippedShare)} cut off
            </dd>
          </>
        )}
        {activation?.channels && (
          <>
            <dt>Channels</dt>
            <dd className="num">
              {activation.channels.count}; the largest reaches{' '}
              {formatSignificant(activation.channels.largest)}, the middle one{' '}
              {formatSignificant(activation.channels.median)}
            </dd>
          </>
        )}
      </dl>
      {activation && (
        <ChartFrame
          title="Distribution"
          level={3}
          fileStem={`${name.replaceAll('/', '-')}-distribution`}
          data={{
            columns: ['from', 'to', 'source', 'file'],
            rows: activation.source.counts.map((count, bin) => [
              activation.source.start + bin * activation.source.width,
              activation.source.start + (bin + 1) * activation.source.width,
              count,
              activation.file.counts[bin],
            ]),
          }}
          note={`Filled: the float source. Line: the file.${quantized ? ' Dashed: the ends of its integers.' : ''}`}
          onCopied={(text) => useView.getState().showToast(text)}
        >
          <HistogramChart
            source={activation.source}
            file={activation.file}
            colour={precisionLook[artifact.precision].colour}
            limits={quantized && [quantized.low, quantized.high]}
          />
        </ChartFrame>
      )}
      <div className="operator-actions">
        {artifact.precision !== 'float32' && (
          <TrialButton
            artifact={artifact}
            change={keep}
            title="Make one more file that computes this operator in float32"
            onShow={onShow}
          />
        )}
        <OverrideSelect name={name} />
      </div>
    </div>
  );
}
