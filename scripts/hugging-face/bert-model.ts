import type { BertDims } from '../../src/encoder/bert.ts';
import { dequantiseRows, type QuantisedRows } from '../../src/lib/quantised-rows.ts';
import type { EncoderWeights } from './encoder-weights.ts';
import { OnnxGraph, type Value } from './onnx-graph.ts';

/** `float32` is every weight widened; `int8` keeps the pack's int8 rows and computes as onnxruntime's `quantize_dynamic` does. */
export type Precision = 'float32' | 'int8';

const EPSILON = 1e-12;

/** What BERT adds to the score of padding. onnxruntime fuses attention for this very number. */
const MASKED = -10_000;

/**
 * The encoder up to its last hidden state as ONNX, with the names of Hugging Face's own exports: `input_ids`, `attention_mask`,
 * `token_type_ids` [batch, sequence] int64 -> `last_hidden_state` [batch, sequence, hidden]. The nodes are those that PyTorch's
 * exporter writes for BERT, because onnxruntime recognises exactly these and fuses them (attention, layer norms, GELU).
 */
export function bertModel(weights: EncoderWeights, precision: Precision): Uint8Array {
  const { layers, hidden, intermediate } = weights.dims;
  const graph = new OnnxGraph('encoder');
  const nodes = new BertNodes(graph, weights, precision);
  const shape = ['batch_size', 'sequence_length'];
  const ids = graph.input('input_ids', 'int64', shape);
  const mask = nodes.maskScores(graph.input('attention_mask', 'int64', shape));
  // Titles are one segment, whose vector the pack has added to the positions: no node reads this input.
  graph.input('token_type_ids', 'int64', shape);

  let x = nodes.norm('embeddings.norm', nodes.embed(ids)); // [batch, sequence, hidden]
  for (let layer = 0; layer < layers; layer++) {
    const [attention, feedforward] = [`layer.${layer}.attention`, `layer.${layer}.feedforward`];
    const attended = nodes.linear(`${attention}.output`, [hidden, hidden], nodes.attend(`${attention}.qkv`, x, mask)); // [batch, sequence, hidden]
    x = nodes.norm(`${attention}.norm`, graph.node('Add', [attended, x])); // [batch, sequence, hidden]
    const inner = nodes.gelu(nodes.linear(`${feedforward}.inner`, [intermediate, hidden], x)); // [batch, sequence, intermediate]
    const outer = nodes.linear(`${feedforward}.outer`, [hidden, intermediate], inner); // [batch, sequence, hidden]
    x = nodes.norm(`${feedforward}.norm`, graph.node('Add', [outer, x])); // [batch, sequence, hidden]
  }
  graph.output(x, 'last_hidden_state', 'float32', [...shape, hidden]);
  return graph.toBytes();
}

interface Quantised {
  readonly values: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
}

/** The parts of BERT as the exporter writes them. */
class BertNodes {
  readonly #graph: OnnxGraph;
  readonly #weights: EncoderWeights;
  readonly #dims: BertDims;
  readonly #isInt8: boolean;
  readonly #constants = new Map<string, Value>();
  /** Values that have been quantised once for several matrices. */
  readonly #quantised = new Map<Value, Quantised>();

  constructor(graph: OnnxGraph, weights: EncoderWeights, precision: Precision) {
    this.#graph = graph;
    this.#weights = weights;
    this.#dims = weights.dims;
    this.#isInt8 = precision === 'int8';
  }

  /** ids [batch, sequence] -> word and position vectors, summed [batch, sequence, hidden]. */
  embed(ids: Value): Value {
    const { embedding, hidden, positions } = this.#dims;
    const narrow = this.#words(ids); // [batch, sequence, embedding]
    const wide = this.#multiply('word.projection', this.#weights.matrix('word.projection', [hidden, embedding]), narrow);
    const table = this.#graph.float('position', this.#weights.floats('position', [positions, hidden]), [1, positions, hidden]);
    const length = this.#graph.node('Slice', [this.#graph.node('Shape', [ids]), this.#int64([1]), this.#int64([2]), this.#int64([0])]); // [1]
    const placed = this.#graph.node('Slice', [table, this.#int64([0]), length, this.#int64([1])]);
    return this.#graph.node('Add', [wide, this.#graph.shaped(placed, 'float32', [1, 'sequence_length', hidden])]);
  }

  /** 1 for text, 0 for padding [batch, sequence] -> what is added to attention's scores [batch, 1, 1, sequence]. */
  maskScores(mask: Value): Value {
    const row = this.#graph.node('Unsqueeze', [mask], { axes: [1] });
    const cube = this.#graph.node('Unsqueeze', [row], { axes: [2] });
    const float = this.#graph.node('Cast', [cube], { to: 1 });
    const padding = this.#graph.node('Sub', [this.#number(1), float]);
    return this.#graph.node('Mul', [padding, this.#number(MASKED)]);
  }

  /** Scaled dot-product attention of all heads, before the output projection. */
  attend(name: string, x: Value, mask: Value): Value {
    const { hidden, heads } = this.#dims;
    const headSize = hidden / heads;
    const weight = this.#weights.matrix(`${name}.weight`, [3 * hidden, hidden]);
    const bias = this.#weights.floats(`${name}.bias`, [3 * hidden]);
    const project = (part: number, order: readonly number[]): Value => {
      const rows = [part * hidden, (part + 1) * hidden] as const;
      const projected = this.#addBias(`${name}.${part}`, sliceRows(weight, ...rows), bias.subarray(...rows), x);
      const split = this.#graph.node('Reshape', [projected, this.#int64([0, 0, heads, headSize])]);
      return this.#graph.node('Transpose', [split], { perm: order });
    };
    const query = project(0, [0, 2, 1, 3]); // [batch, heads, sequence, head]
    const key = project(1, [0, 2, 3, 1]); // [batch, heads, head, sequence]
    const value = project(2, [0, 2, 1, 3]); // [batch, heads, sequence, head]
    const scores = this.#graph.node('Div', [this.#graph.node('MatMul', [query, key]), this.#number(Math.sqrt(headSize))]);
    const shares = this.#graph.node('Softmax', [this.#graph.node('Add', [scores, mask])], { axis: 3 });
    const mixed = this.#graph.node('Transpose', [this.#graph.node('MatMul', [shares, value])], { perm: [0, 2, 1, 3] });
    return this.#graph.node('Reshape', [mixed, this.#int64([0, 0, hidden])]); // [batch, sequence, hidden]
  }

  linear(name: string, shape: readonly [rows: number, columns: number], x: Value): Value {
    return this.#addBias(name, this.#weights.matrix(`${name}.weight`, shape), this.#weights.floats(`${name}.bias`, [shape[0]]), x);
  }

  norm(name: string, x: Value): Value {
    const { hidden } = this.#dims;
    const centred = this.#graph.node('Sub', [x, this.#graph.node('ReduceMean', [x], { axes: [-1] })]);
    const variance = this.#graph.node('ReduceMean', [this.#graph.node('Pow', [centred, this.#number(2)])], { axes: [-1] });
    const deviation = this.#graph.node('Sqrt', [this.#graph.node('Add', [variance, this.#number(EPSILON)])]);
    const [gamma, beta] = ['weight', 'bias'].map((part) => this.#graph.float(`${name}.${part}`, this.#weights.floats(`${name}.${part}`, [hidden]), [hidden]));
    const scaled = this.#graph.node('Mul', [this.#graph.node('Div', [centred, deviation]), gamma!]);
    return this.#graph.node('Add', [scaled, beta!]);
  }

  gelu(x: Value): Value {
    const erf = this.#graph.node('Erf', [this.#graph.node('Div', [x, this.#number(Math.SQRT2)])]);
    const gated = this.#graph.node('Mul', [x, this.#graph.node('Add', [erf, this.#number(1)])]);
    return this.#graph.node('Mul', [gated, this.#number(0.5)]);
  }

  #addBias(name: string, matrix: QuantisedRows, bias: Float32Array, x: Value): Value {
    return this.#graph.node('Add', [this.#multiply(`${name}.weight`, matrix, x), this.#graph.float(`${name}.bias`, bias, [bias.length])]);
  }

  /** x [..., columns] · matrixᵀ -> [..., rows]; ONNX wants the matrix as [columns, rows]. */
  #multiply(name: string, matrix: QuantisedRows, x: Value): Value {
    const [rows, { columns }] = [matrix.scales.length, matrix];
    if (!this.#isInt8) return this.#graph.node('MatMul', [x, this.#graph.float(name, transpose(dequantiseRows(matrix), rows, columns), [columns, rows])]);
    const { values, scale, zeroPoint } = this.#quantise(x);
    const weight = this.#graph.int8(`${name}_quantized`, transpose(matrix.values, rows, columns), [columns, rows]);
    const weightZeroPoint = this.#graph.int8(`${name}_zero_point`, new Int8Array(rows), [rows]);
    const sums = this.#graph.node('MatMulInteger', [values, weight, zeroPoint, weightZeroPoint]);
    const scales = this.#graph.node('Mul', [scale, this.#graph.float(`${name}_scale`, matrix.scales, [rows])]);
    return this.#graph.node('Mul', [this.#graph.node('Cast', [sums], { to: 1 }), scales]);
  }

  /** One scale and zero point for the whole tensor, chosen anew in each request. */
  #quantise(x: Value): Quantised {
    const known = this.#quantised.get(x);
    if (known) return known;
    const [values, scale, zeroPoint] = this.#graph.nodeOf('DynamicQuantizeLinear', [x], 3);
    const made = { values: values!, scale: scale!, zeroPoint: zeroPoint! };
    this.#quantised.set(x, made);
    return made;
  }

  /** Rows of the word table; in int8 a row is widened after it was found. */
  #words(ids: Value): Value {
    const { vocabulary, embedding } = this.#dims;
    const table = this.#weights.matrix('word.table', [vocabulary, embedding]);
    const shape = [vocabulary, embedding];
    if (!this.#isInt8) return this.#graph.node('Gather', [this.#graph.float('word.table', dequantiseRows(table), shape), ids], { axis: 0 });
    const codes = this.#graph.node('Gather', [this.#graph.int8('word.table_quantized', table.values, shape), ids], { axis: 0 });
    const scales = this.#graph.node('Gather', [this.#graph.float('word.table_scale', table.scales, [vocabulary, 1]), ids], { axis: 0 }); // [batch, sequence, 1]
    return this.#graph.node('Mul', [this.#graph.node('Cast', [codes], { to: 1 }), scales]);
  }

  #number(value: number): Value {
    return this.#once(`number ${value}`, (name) => this.#graph.float(name, value));
  }

  #int64(values: readonly number[]): Value {
    return this.#once(`list ${values.join(' ')}`, (name) => this.#graph.int64(name, values));
  }

  #once(name: string, add: (name: string) => Value): Value {
    const known = this.#constants.get(name) ?? add(name);
    this.#constants.set(name, known);
    return known;
  }
}

function sliceRows({ values, scales, columns }: QuantisedRows, first: number, end: number): QuantisedRows {
  return { values: values.subarray(first * columns, end * columns), scales: scales.subarray(first, end), columns };
}

/** [rows, columns] -> [columns, rows] */
function transpose<T extends Float32Array | Int8Array>(values: T, rows: number, columns: number): T {
  const turned = values.slice() as T;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column]!;
  }
  return turned;
}
