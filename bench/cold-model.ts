import { OnnxGraph } from '../scripts/hugging-face/onnx-graph.ts';
import { writeSafetensors, type SafeTensor } from '../src/lib/safetensors.ts';
import { lstmValues, seededValues } from '../test/helpers/device-programs.ts';
import { addLstm } from './onnx-models.ts';

const SHAPE = { steps: 1, batch: 1, input: 64, hidden: 64 };
/** A shelf to score. */
const ITEMS = 500;

const values = lstmValues(SHAPE);
const items = seededValues(ITEMS * SHAPE.hidden, 0.2, 51);

/** The cold pages' model as ours and tfjs read it. */
export function coldSafetensors(): Uint8Array {
  const { input, hidden } = SHAPE;
  const tensor = (floats: Float32Array, shape: number[]): SafeTensor => ({ dtype: 'F32', shape, values: floats });
  return writeSafetensors([
    ['inputWeights', tensor(values.inputWeights, [4 * hidden, input])],
    ['hiddenWeights', tensor(values.hiddenWeights, [4 * hidden, hidden])],
    ['bias', tensor(values.bias, [4 * hidden])],
    ['items', tensor(items, [ITEMS, hidden])],
  ]);
}

/** The same as ONNX: x [steps, 1, input] -> scores [1, items]. */
export function coldOnnx(): Uint8Array {
  const { batch, input, hidden } = SHAPE;
  const graph = new OnnxGraph('cold');
  const x = graph.input('x', 'float32', ['steps', batch, input]);
  const { hn } = addLstm(graph, values, SHAPE, { x, h: '', c: '' }); // a state that is left out is zero
  const row = graph.node('Reshape', [hn, graph.int64('row', [batch, hidden])]);
  graph.output(graph.node('Gemm', [row, graph.float('items', items, [ITEMS, hidden])], { transB: 1 }), 'scores', 'float32', [batch, ITEMS]);
  return graph.toBytes();
}
