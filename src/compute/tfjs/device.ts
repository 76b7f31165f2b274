import type * as tfjs from '@tensorflow/tfjs-core';
import { RecommenderError } from '../../errors.ts';
import { dequantiseRows, type QuantisedRows } from '../../lib/quantised-rows.ts';
import type { Device, Primitives, Tensor, Workload } from '../device.ts';
import { createPrimitives, toTf } from './primitives.ts';
import type { Tfjs } from './tfjs.ts';

export type { Tfjs } from './tfjs.ts';

const SUPPORTS: ReadonlySet<Workload> = new Set(['encode', 'sequence', 'score']);

/**
 * The primitives as plain tfjs ops on whatever backend is active when a call is made: the oracle of our own kernels, and
 * a way to run the same models on a shop's own tfjs. Pass the module: `createTfjsDevice(await import('@tensorflow/tfjs'))`.
 */
export function createTfjsDevice(tf: Tfjs): Device {
  return new TfjsDevice(tf);
}

class TfjsDevice implements Device {
  readonly name = 'tfjs';
  readonly kernel: string;
  readonly supports = SUPPORTS;
  readonly #tf: Tfjs;
  readonly #uploaded = new Set<tfjs.Tensor>();
  /** Weights that were multiplied with, transposed once and for all: tfjs's WebAssembly is fast only where neither side has to be. */
  readonly #transposed = new Map<tfjs.Tensor, tfjs.Tensor2D>();

  constructor(tf: Tfjs) {
    this.#tf = tf;
    this.kernel = `tfjs-${tf.getBackend()}`;
  }

  upload(values: Float32Array, shape: readonly number[]): Tensor {
    try {
      // A copy, since tfjs's CPU backend computes on the very array that it is given.
      const tensor = this.#tf.keep(this.#tf.tensor(values.slice(), [...shape], 'float32'));
      this.#uploaded.add(tensor);
      return tensor;
    } catch (error) {
      throw RecommenderError.from(error, 'DEVICE_FAILED');
    }
  }

  uploadRows(rows: QuantisedRows): Tensor {
    return this.upload(dequantiseRows(rows), [rows.scales.length, rows.columns]);
  }

  free(tensor: Tensor): void {
    const uploaded = toTf(this.#tf, tensor);
    this.#uploaded.delete(uploaded);
    uploaded.dispose();
    this.#transposed.get(uploaded)?.dispose();
    this.#transposed.delete(uploaded);
  }

  async run(program: (ops: Primitives) => readonly Tensor[]): Promise<Float32Array[]> {
    const tf = this.#tf;
    let joined: tfjs.Tensor1D | undefined;
    try {
      const sizes: number[] = [];
      // All results side by side, since each data() is a readback of its own.
      joined = tf.tidy(() => {
        const results = program(createPrimitives(tf, (weight) => this.#transpose(weight))).map((result) => toTf(tf, result));
        sizes.push(...results.map(({ size }) => size));
        return tf.concat([tf.tensor([], [0], 'float32'), ...results.map((result) => tf.reshape(result, [-1]))]) as tfjs.Tensor1D;
      });
      const values = await joined.data<'float32'>();
      let offset = 0;
      return sizes.map((size) => values.slice(offset, (offset += size)));
    } catch (error) {
      throw RecommenderError.from(error, 'DEVICE_FAILED');
    } finally {
      joined?.dispose();
    }
  }

  dispose(): void {
    for (const tensor of this.#uploaded) this.free(tensor);
  }

  #transpose(weight: tfjs.Tensor2D): tfjs.Tensor2D {
    const known = this.#transposed.get(weight);
    if (known) return known;
    const made = this.#tf.transpose(weight);
    if (this.#uploaded.has(weight)) this.#transposed.set(weight, this.#tf.keep(made));
    return made;
  }
}
