/** What was quantized comes back with the steps that it had. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph, QuantParams, Value } from '../ir/graph.ts';
import { floatTensor, int64Tensor, toFloat32 } from '../ir/tensor.ts';
import { tensorFrom } from '../ops/fold-helpers.ts';
import { inferTypes } from '../ops/registry.ts';
import { planQuantization, quantizeForOnnx } from './quantize.ts';
import { graphText, smallNet, smallRanges } from './test-graphs.ts';
import { withoutBorders } from './without-borders.ts';

const options = { precision: 'int8', io: 'float32', pureInteger: true } as const;

/** A builder with the borders of per-tensor uint8 values. */
class Kit {
  readonly builder = new GraphBuilder('borders', inferTypes);
  readonly x = this.builder.input('x', { dtype: 'float32', shape: [1, 4] });

  private parameters({ scales, zeroPoints }: QuantParams): Value[] {
    return [
      this.builder.constant('scale', floatTensor([], scales)),
      this.builder.constant('zero', tensorFrom('uint8', [], zeroPoints)),
    ];
  }

  rounded(x: Value, quant: QuantParams): Value {
    const q = this.builder.one('QuantizeLinear', [x, ...this.parameters(quant)], { axis: 0 });
    return this.builder.quantize(q.id, q.type, quant);
  }

  real(q: Value, quant: QuantParams): Value {
    return this.builder.one('DequantizeLinear', [q, ...this.parameters(quant)], { axis: 0 });
  }

  finish(y: Value): Graph {
    return this.builder.finish([y.id], { format: 'onnx', opset: 17 });
  }
}

const quant = { scales: [0.02], zeroPoints: [0] };

describe('a graph without its borders', () => {
  it('gives the plan that it was quantized by', () => {
    const forms = { tflite: smallNet(), onnx: smallNet('NCHW') };
    const plan = planQuantization(forms, smallRanges, { ...options, recovery: false });
    const { graph } = quantizeForOnnx(forms.onnx, plan, { io: 'float32', form: 's8s8' });
    const found = withoutBorders(graph)!;
    expect(found.graph.nodes.map(({ op }) => op)).toEqual(forms.onnx.nodes.map(({ op }) => op));
    const again = planQuantization(forms, found.ranges, { ...options, recovery: false });
    for (const id of ['x', 'conv', 'dense']) {
      expect(again.values[id].zeroPoints).toEqual(plan.values[id].zeroPoints);
      expect(again.values[id].scales[0]).toBeCloseTo(plan.values[id].scales[0], 7);
    }
  });

  it('has the reals that its constants stand for, each channel by its own scale', () => {
    const kit = new Kit();
    const weights = kit.builder.constant('w', tensorFrom('int8', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), {
      scales: [0.5, 2],
      zeroPoints: [0, 1],
      axis: 0,
    });
    const scale = kit.builder.constant('ws', floatTensor([2], [0.5, 2]));
    const real = kit.builder.one('DequantizeLinear', [weights, scale, null], { axis: 0 });
    const { graph } = withoutBorders(
      kit.finish(kit.builder.one('Add', [kit.x, real], { activation: 'none' })),
    )!;
    const constant = [...graph.values.values()].find(({ constant: found }) => found)!.constant!;
    expect([...toFloat32(constant)]).toEqual([0.5, 1, 1.5, 2, 8, 10, 12, 14]);
  });

  it('keeps the ReLU that its zero point stands for, and moves integers as reals', () => {
    const kit = new Kit();
    const sum = kit.builder.one('Add', [kit.x, kit.x], { activation: 'none' }, { name: 'sum' });
    const shape = kit.builder.constant('shape', int64Tensor([2], [2, 2]));
    const moved = kit.builder.one('Reshape', [kit.rounded(sum, quant), shape], { allowZero: false });
    const { graph, ranges } = withoutBorders(kit.finish(kit.real(moved, quant)))!;
    expect(graphText(graph).map((line) => line.split(' ')[0])).toEqual([
      'Add',
      'Relu',
      'Reshape',
      'Identity',
    ]);
    expect([...ranges.values()]).toEqual([{ min: 0, max: 5.1000000000000005 }]);
  });

  it('is not had of integers that are computed with', () => {
    const kit = new Kit();
    const q = kit.rounded(kit.x, quant);
    const sum = kit.builder.one('Add', [q, q], { activation: 'none' });
    expect(withoutBorders(kit.finish(kit.real(sum, quant)))).toBeUndefined();
    expect(withoutBorders(smallNet())).toBeUndefined();
  });
});
