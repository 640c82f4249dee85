/** One time step of Keras' recurrent cells. */
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import {
  activate,
  adder,
  type Cell,
  type CellSource,
  featuresOf,
  fused,
  gates,
  linear,
} from './keras-cell.ts';
import { convProducts } from './keras-conv-cell.ts';
import { gruCell } from './keras-gru-cell.ts';

export function makeCell(source: CellSource, builder: GraphBuilder): Cell {
  if (source.kind === 'SimpleRNN') return simpleCell(source, builder);
  if (source.kind === 'GRU') return gruCell(source, builder);
  return lstmCell(source, builder);
}

function simpleCell(source: CellSource, builder: GraphBuilder): Cell {
  const { options, weights, name } = source;
  const units = options.int('units');
  const bias = options.boolean('use_bias', true) ? weights.weight('bias', [units]) : undefined;
  const recurrent = weights.weight('recurrent_kernel', [units, units]);
  return {
    states: 1,
    project: (x) =>
      linear(
        builder,
        x,
        weights.weight('kernel', [featuresOf(source, x), units]),
        bias,
        `${name}/kernel`,
        `${name}/projected`,
      ),
    step(projected, [h], at) {
      const sum = h
        ? builder.one(
            'Add',
            [
              projected,
              linear(builder, h, recurrent, undefined, `${name}/recurrent_kernel`, `${at}/recurrent`),
            ],
            fused,
            { name: `${at}/sum` },
          )
        : projected;
      return [activate(source, builder, sum, 'activation', `${at}/h`)];
    },
  };
}

/** Gates in Keras' order: input, forget, candidate, output. ConvLSTM convolves where LSTM multiplies. */
function lstmCell(source: CellSource, builder: GraphBuilder): Cell {
  const { options, name } = source;
  const add = adder(builder);
  const { project, recur } =
    source.kind === 'LSTM' ? lstmProducts(source, builder) : convProducts(source, builder);
  return {
    states: 2,
    project,
    step(projected, [h, c], at) {
      const sum = h ? add('Add', [projected, recur(h, `${at}/recurrent`)], `${at}/sum`, fused) : projected;
      const [i, f, g, o] = gates(builder, sum, 4, `${at}/gates`);
      const input = activate(source, builder, i, 'recurrent_activation', `${at}/input_gate`);
      const candidate = activate(source, builder, g, 'activation', `${at}/candidate`);
      const fresh = add('Mul', [input, candidate], `${at}/${c ? 'fresh' : 'c'}`, fused);
      let cell = fresh;
      if (c) {
        const forget = activate(source, builder, f, 'recurrent_activation', `${at}/forget_gate`);
        cell = add('Add', [add('Mul', [forget, c], `${at}/kept`, fused), fresh], `${at}/c`, fused);
      }
      const output = activate(source, builder, o, 'recurrent_activation', `${at}/output_gate`);
      const curved = activate(source, builder, cell, 'activation', `${at}/curved`);
      return [add('Mul', [output, curved], `${at}/h`, fused), cell];
    },
  };

  function lstmProducts({ weights }: CellSource, graph: GraphBuilder) {
    const units = options.int('units');
    const bias = options.boolean('use_bias', true) ? weights.weight('bias', [4 * units]) : undefined;
    const recurrent = weights.weight('recurrent_kernel', [units, 4 * units]);
    return {
      project: (x: Value) =>
        linear(
          graph,
          x,
          weights.weight('kernel', [featuresOf(source, x), 4 * units]),
          bias,
          `${name}/kernel`,
          `${name}/projected`,
        ),
      recur: (h: Value, at: string) => linear(graph, h, recurrent, undefined, `${name}/recurrent_kernel`, at),
    };
  }
}
