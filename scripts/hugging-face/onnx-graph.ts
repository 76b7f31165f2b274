import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
const { FLOAT, INT8, UINT8, INT64 } = onnx.TensorProto.DataType;

/** A value of the graph: an input, a constant or what a node gives, by its name. */
export type Value = string;

/** A size, or the name of one that each request chooses. */
export type Dimension = number | string;

const ELEMENT_TYPES = { float32: FLOAT, int64: INT64 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

export type Attributes = Readonly<Record<string, number | readonly number[] | string | { readonly float: number }>>;

/**
 * The version of ONNX's operators: 11, which most published exports of BERT have, is the one whose patterns onnxruntime
 * recognises in every release since 1.14 and fuses.
 */
const OPSET = 11;

/** Belongs to opset 11 and is read by every runtime of transformers.js. */
const IR_VERSION = 6;

/** Writes an ONNX model node by node; the file is protobuf (https://github.com/onnx/onnx/blob/main/docs/IR.md). */
export class OnnxGraph {
  readonly #name: string;
  readonly #nodes: onnxProto.onnx.INodeProto[] = [];
  readonly #constants: onnxProto.onnx.ITensorProto[] = [];
  readonly #inputs: onnxProto.onnx.IValueInfoProto[] = [];
  readonly #known: onnxProto.onnx.IValueInfoProto[] = [];
  readonly #outputs: onnxProto.onnx.IValueInfoProto[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, type: ElementType, shape: readonly Dimension[]): Value {
    this.#inputs.push(describeValue(name, type, shape));
    return name;
  }

  /** Names a value as a result of the model. */
  output(value: Value, name: string, type: ElementType, shape: readonly Dimension[]): void {
    this.#nodes.push({ opType: 'Identity', name, input: [value], output: [name] });
    this.#outputs.push(describeValue(name, type, shape));
  }

  /** Says a value's shape where a runtime cannot infer it; some fusions ask for it. */
  shaped(value: Value, type: ElementType, shape: readonly Dimension[]): Value {
    this.#known.push(describeValue(value, type, shape));
    return value;
  }

  /** Adds a node and returns its first result. An input that an operator leaves out is an empty name. */
  node(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.nodeOf(operator, inputs, 1, attributes)[0]!;
  }

  /** Adds a node with several results. */
  nodeOf(operator: string, inputs: readonly Value[], results: number, attributes: Attributes = {}): readonly Value[] {
    const name = `${operator}_${this.#nodes.length}`;
    const output = Array.from({ length: results }, (_, i) => `${name}:${i}`);
    this.#nodes.push({ opType: operator, name, input: [...inputs], output, attribute: Object.entries(attributes).map(describeAttribute) });
    return output;
  }

  /** A float32 constant; a single number without a shape. */
  float(name: string, values: Float32Array | number, shape: readonly number[] = []): Value {
    return this.#constant(name, FLOAT, typeof values === 'number' ? Float32Array.of(values) : values, shape);
  }

  int8(name: string, values: Int8Array, shape: readonly number[]): Value {
    return this.#constant(name, INT8, values, shape);
  }

  uint8(name: string, values: Uint8Array, shape: readonly number[]): Value {
    return this.#constant(name, UINT8, values, shape);
  }

  /** An int64 vector, such as a shape; a single number without a shape. */
  int64(name: string, values: readonly number[] | number): Value {
    const isNumber = typeof values === 'number';
    return this.#constant(name, INT64, BigInt64Array.from(isNumber ? [values] : values, BigInt), isNumber ? [] : [values.length]);
  }

  /** The model as an .onnx file. */
  toBytes(): Uint8Array {
    const graph = { name: this.#name, node: this.#nodes, initializer: this.#constants, input: this.#inputs, output: this.#outputs, valueInfo: this.#known };
    return onnx.ModelProto.encode({ irVersion: IR_VERSION, opsetImport: [{ domain: '', version: OPSET }], producerName: 'shelfwise', graph }).finish();
  }

  #constant(name: string, dataType: number, values: Exclude<ArrayBufferView, DataView> & { readonly length: number }, dims: readonly number[]): Value {
    const elements = dims.reduce((product, size) => product * size, 1);
    if (values.length !== elements) throw new Error(`Constant ${name} has ${values.length} values for the shape [${dims.join(', ')}].`);
    // Raw data are little-endian, as every machine is that runs this.
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#constants.push({ name, dataType, dims: [...dims], rawData });
    return name;
  }
}

function describeValue(name: string, type: ElementType, shape: readonly Dimension[]): onnxProto.onnx.IValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[type], shape: { dim } } } };
}

/** A whole number is an INT, a list of them INTS; `{ float }` says FLOAT, since 1 may be either. */
function describeAttribute([name, value]: readonly [string, Attributes[string]]): onnxProto.onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: [...value] };
}
