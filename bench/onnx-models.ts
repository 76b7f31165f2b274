import { OnnxGraph, type Value } from '../scripts/hugging-face/onnx-graph.ts';
import type { LstmShape } from '../src/compute/training-kernels.ts';
import { HEAD_ROWS, HEADS, headLayers, LSTM, LSTM_VALUES, type HeadName } from './page/models.ts';

/** The compared LSTM as a model of its own: x [steps, 1, input], h and c [1, 1, hidden] -> hn and cn. */
export function lstmModel(): Uint8Array {
  const { batch, input, hidden } = LSTM;
  const graph = new OnnxGraph('lstm');
  const state = [1, batch, hidden];
  const { hn, cn } = addLstm(graph, LSTM_VALUES, LSTM, {
    x: graph.input('x', 'float32', ['steps', batch, input]),
    h: graph.input('h', 'float32', state),
    c: graph.input('c', 'float32', state),
  });
  graph.output(hn, 'hn', 'float32', state);
  graph.output(cn, 'cn', 'float32', state);
  return graph.toBytes();
}

interface LstmWeightValues {
  readonly inputWeights: Float32Array;
  readonly hiddenWeights: Float32Array;
  readonly bias: Float32Array;
}

/** Adds onnxruntime's own LSTM operator with these weights. */
export function addLstm(
  graph: OnnxGraph,
  { inputWeights, hiddenWeights, bias }: LstmWeightValues,
  { input, hidden }: LstmShape,
  { x, h, c }: Record<'x' | 'h' | 'c', Value>,
): Record<'hn' | 'cn', Value> {
  const gates = 4 * hidden;
  const biases = new Float32Array(2 * gates); // ONNX has one for the input and one for the state
  biases.set(inOnnxOrder(bias));
  const weights = [
    graph.float('W', inOnnxOrder(inputWeights), [1, gates, input]),
    graph.float('R', inOnnxOrder(hiddenWeights), [1, gates, hidden]),
    graph.float('B', biases, [1, 2 * gates]),
  ];
  const [, hn, cn] = graph.nodeOf('LSTM', [x, ...weights, '', h, c], 3, { hidden_size: hidden });
  return { hn: hn!, cn: cn! };
}

/** A head as onnxruntime likes it, Gemm and Relu: x [rows, features] -> y [rows, 1]. */
export function headModel(name: HeadName): Uint8Array {
  const graph = new OnnxGraph(`head-${name}`);
  const layers = headLayers(name);
  let x = graph.input('x', 'float32', [HEAD_ROWS, HEADS[name][0]]);
  layers.forEach(({ rows, columns, weight, bias }, at) => {
    x = graph.node('Gemm', [x, graph.float(`weight${at}`, weight, [rows, columns]), graph.float(`bias${at}`, bias, [rows])], { transB: 1 });
    if (at < layers.length - 1) x = graph.node('Relu', [x]);
  });
  graph.output(x, 'y', 'float32', [HEAD_ROWS, 1]);
  return graph.toBytes();
}

/** Rows of gates in PyTorch's order (input, forget, cell, output) in ONNX's: input, output, forget, cell. */
function inOnnxOrder(values: Float32Array): Float32Array {
  const block = values.length / 4;
  const out = new Float32Array(values.length);
  [0, 3, 1, 2].forEach((from, to) => out.set(values.subarray(from * block, (from + 1) * block), to * block));
  return out;
}
