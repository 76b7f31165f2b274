import { RecommenderError } from '../../errors.ts';
import { attentionSizes, checkFilled, checkLengths, dimensions, sizeOf } from '../dimensions.ts';
import type { Activation, Primitives, Tensor } from '../device.ts';
import type { Arena, WasmHeap } from './heap.ts';
import type { ServingKernels } from './serving-kernels.ts';
import { WasmTensor } from './tensor.ts';

/** The codes of assembly/activate.ts. */
const ACTIVATION_CODES: Readonly<Record<Activation, number>> = { none: 0, relu: 1, gelu: 2, tanh: 3 };

/** Fewer weight rows than one panel's columns are not worth packing. */
const PANEL_COLUMNS = 8;

/** Rows from which a product through panels beats dot products, although the other side must be packed first. */
const PANEL_ROWS = 4;

/** Gates of an LSTM that are computed at once: more is no faster, and 26 weeks of 500 items would take 7 MB. */
const GATES_BYTES = 1024 * 1024;

/** The primitives of a device's runs, one after another; what they make lives in `arena` and ends with its `reset()`. */
export function createWasmPrimitives(kernels: ServingKernels, heap: WasmHeap, arena: Arena): Primitives {
  function make(shape: readonly number[]): WasmTensor {
    return new WasmTensor(shape, arena.allocate(sizeOf(shape) * 4), { lifetime: arena.lifetime, isWeight: false });
  }

  /** Row-major values of a tensor; weights that are kept as panels are written out again for this run. */
  function at(tensor: Tensor): number {
    const { address, layout, shape } = WasmTensor.of(tensor);
    if (layout === 'rows') return address;
    if (layout === 'quantised') throw new RecommenderError('DEVICE_FAILED', 'Int8 rows can only be the weight of linear().');
    const [rows, k] = dimensions(tensor, 2, 'weight');
    const copy = make(shape);
    const { floats } = heap;
    for (let row = 0; row < rows; row += 1) {
      const panel = address / 4 + (row - (row % PANEL_COLUMNS)) * k + (row % PANEL_COLUMNS);
      for (let p = 0; p < k; p += 1) floats[copy.address / 4 + row * k + p] = floats[panel + p * PANEL_COLUMNS]!;
    }
    return copy.address;
  }

  /** Weights [m, k] as panels: packed once and for all where they stay, else for this run. */
  function panelsOf(weight: Tensor): number {
    const tensor = WasmTensor.of(weight);
    if (tensor.layout === 'panels') return tensor.address;
    const rows = at(tensor);
    const [m, k] = dimensions(tensor, 2, 'weight');
    const bytes = kernels.rightBytes(m, k);
    const target = tensor.isWeight ? heap.allocate(bytes) : arena.allocate(bytes);
    kernels.packRight(target, rows, k * 4, m, k, 1);
    if (tensor.isWeight) {
      heap.free(tensor.address);
      tensor.address = target;
      tensor.layout = 'panels';
    }
    return target;
  }

  /** Working memory for a product of [n, k] rows. */
  function workOf(n: number, k: number): number {
    return arena.allocate(kernels.workBytes(n, k));
  }

  /** The lengths of the texts as int32. */
  function placeLengths(lengths: readonly number[]): number {
    const address = arena.allocate(lengths.length * 4);
    new Int32Array(heap.memory.buffer, address, lengths.length).set(lengths);
    return address;
  }

  return {
    input(values, shape) {
      checkFilled(values, shape);
      const tensor = make(shape);
      heap.floats.set(values, tensor.address / 4);
      return tensor;
    },

    linear(x, weight, bias, activation = 'none') {
      const [n, k] = dimensions(x, 2, 'x');
      const [m] = dimensions(weight, 2, 'weight', [undefined, k]);
      if (bias) dimensions(bias, 1, 'bias', [m]);
      const out = make([n, m]);
      const rows = at(x); // [n, k]
      const shift = bias ? at(bias) : 0;
      const { isWeight, layout, address } = WasmTensor.of(weight);
      if (layout === 'quantised') {
        kernels.linearQuantised(out.address, rows, address, shift, n, m, k, ACTIVATION_CODES[activation], workOf(n, k));
        return out;
      }
      if (layout === 'panels' || (m >= PANEL_COLUMNS && (isWeight || n >= PANEL_ROWS))) {
        kernels.linear(out.address, rows, panelsOf(weight), shift, n, m, k, ACTIVATION_CODES[activation], workOf(n, k));
        return out;
      }
      if (n < m) {
        for (let i = 0; i < n; i += 1) kernels.dotRows(out.address + i * m * 4, 4, rows + i * k * 4, address, m, k);
      } else {
        for (let j = 0; j < m; j += 1) kernels.dotRows(out.address + j * 4, m * 4, address + j * k * 4, rows, n, k);
      }
      if (bias || activation !== 'none') kernels.biasActivation(out.address, shift, n, m, ACTIVATION_CODES[activation]);
      return out;
    },

    addLayerNorm(x, residual, gamma, beta, epsilon) {
      const [n, size] = dimensions(x, 2, 'x');
      dimensions(residual, 2, 'residual', [n, size]);
      dimensions(gamma, 1, 'gamma', [size]);
      dimensions(beta, 1, 'beta', [size]);
      const out = make([n, size]);
      kernels.addLayerNorm(out.address, at(x), at(residual), at(gamma), at(beta), n, size, epsilon);
      return out;
    },

    attention(qkv, lengths, heads) {
      const [tokens, width] = dimensions(qkv, 2, 'qkv');
      checkLengths(lengths, tokens);
      const { size, headSize } = attentionSizes(width, heads);
      const out = make([tokens, size]);
      const work = arena.allocate(kernels.attentionBytes(Math.max(...lengths, 0), headSize));
      kernels.attention(out.address, at(qkv), placeLengths(lengths), lengths.length, size, heads, work);
      return out;
    },

    meanPool(x, lengths) {
      const [tokens, size] = dimensions(x, 2, 'x');
      checkLengths(lengths, tokens);
      const out = make([lengths.length, size]);
      kernels.meanPool(out.address, at(x), placeLengths(lengths), lengths.length, size);
      return out;
    },

    lstm(x, { inputWeights, hiddenWeights, bias }, state) {
      const [steps, batch, input] = dimensions(x, 3, 'x');
      const [, , size] = dimensions(state, 3, 'state', [2, batch, undefined]);
      dimensions(inputWeights, 2, 'inputWeights', [4 * size, input]);
      dimensions(hiddenWeights, 2, 'hiddenWeights', [4 * size, size]);
      dimensions(bias, 1, 'bias', [4 * size]);
      const out = make([2, batch, size]);
      const before = at(state) / 4;
      heap.floats.copyWithin(out.address / 4, before, before + 2 * batch * size);
      const stepBytes = batch * 4 * size * 4;
      const stepsAtOnce = Math.max(1, Math.min(steps, Math.floor(GATES_BYTES / stepBytes)));
      const gates = arena.allocate(stepsAtOnce * stepBytes);
      const inputPanels = panelsOf(inputWeights);
      const hiddenPanels = panelsOf(hiddenWeights);
      const work = workOf(stepsAtOnce * batch, Math.max(input, size));
      const [inputs, shift] = [at(x), at(bias)];
      for (let step = 0; step < steps; step += stepsAtOnce) {
        kernels.lstm(out.address, inputs + step * batch * input * 4, inputPanels, hiddenPanels, shift, gates, Math.min(stepsAtOnce, steps - step), batch, input, size, work);
      }
      return out;
    },
  };
}
