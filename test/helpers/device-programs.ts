import type { Activation, Device } from '../../src/compute/device.ts';
import type { LstmShape } from '../../src/compute/training-kernels.ts';
import type { QuantisedRows } from '../../src/lib/quantised-rows.ts';

/** Uploads its weights, runs once and frees them; the same values each time and on each device. */
export type DeviceProgram = (device: Device) => Promise<Float32Array[]>;

/** `size` values in (-scale, scale), the same for the same seed (Lehmer's generator, Park & Miller 1988). */
export function seededValues(size: number, scale: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return scale * ((2 * state) / 2_147_483_647 - 1);
  });
}

/** Inputs and weights of an LSTM in the magnitudes that training gives. */
export function lstmValues({ steps, batch, input, hidden }: LstmShape) {
  const scale = 1 / Math.sqrt(hidden);
  return {
    x: seededValues(steps * batch * input, 2, 11),
    state: seededValues(2 * batch * hidden, 1, 12),
    inputWeights: seededValues(4 * hidden * input, scale, 13),
    hiddenWeights: seededValues(4 * hidden * hidden, scale, 14),
    bias: seededValues(4 * hidden, scale, 15),
  };
}

/** An LSTM over all steps, in one call or in one run per step, with the state read back in between. */
export function lstmProgram(shape: LstmShape, { stepByStep = false } = {}): DeviceProgram {
  return async (device) => {
    const { steps, batch, input, hidden } = shape;
    const values = lstmValues(shape);
    const weights = {
      inputWeights: device.upload(values.inputWeights, [4 * hidden, input]),
      hiddenWeights: device.upload(values.hiddenWeights, [4 * hidden, hidden]),
      bias: device.upload(values.bias, [4 * hidden]),
    };
    let state = values.state;
    const runs = stepByStep ? steps : 1;
    const stepsPerRun = steps / runs;
    for (let run = 0; run < runs; run++) {
      const x = values.x.subarray(run * stepsPerRun * batch * input, (run + 1) * stepsPerRun * batch * input);
      const results = await device.run((ops) => [
        ops.lstm(ops.input(x, [stepsPerRun, batch, input]), weights, ops.input(state, [2, batch, hidden])),
      ]);
      state = results[0]!;
    }
    Object.values(weights).forEach((weight) => device.free(weight));
    return [state];
  };
}

/** Dense layers over `rows` inputs of size[0], with bias, each hidden one followed by the activation; the last is plain. */
export function denseProgram(rows: number, sizes: readonly number[], activation: Activation, { hasBias = true } = {}): DeviceProgram {
  return async (device) => {
    const layers = sizes.slice(1).map((columns, index) => {
      const depth = sizes[index]!;
      return {
        weight: device.upload(seededValues(columns * depth, 1 / Math.sqrt(depth), 21 + index), [columns, depth]),
        bias: hasBias ? device.upload(seededValues(columns, 0.5, 31 + index), [columns]) : null,
        activation: index < sizes.length - 2 ? activation : ('none' as const),
      };
    });
    const values = seededValues(rows * sizes[0]!, 2, 20);
    const results = await device.run((ops) => [
      layers.reduce((x, layer) => ops.linear(x, layer.weight, layer.bias, layer.activation), ops.input(values, [rows, sizes[0]!])),
    ]);
    for (const { weight, bias } of layers) {
      device.free(weight);
      if (bias) device.free(bias);
    }
    return results;
  };
}

/** Results of several kinds in one run: an input as it is, nothing at all, and two layers that share one. */
const severalResults: DeviceProgram = async (device) => {
  const weight = device.upload(seededValues(3 * 5, 1, 41), [3, 5]);
  const results = await device.run((ops) => {
    const x = ops.input(seededValues(2 * 5, 1, 42), [2, 5]);
    const shared = ops.linear(x, weight, null, 'tanh'); // [2, 3]
    return [x, ops.linear(ops.input(new Float32Array(0), [0, 5]), weight, null), shared, ops.linear(shared, shared, null, 'gelu')];
  });
  device.free(weight);
  return results;
};

/** int8 rows in the magnitudes that quantised layers have. */
export function seededRows(rows: number, columns: number, seed: number): QuantisedRows {
  return {
    values: Int8Array.from(seededValues(rows * columns, 127.49, seed), Math.round),
    scales: seededValues(rows, 0.01, seed + 1).map((scale) => Math.abs(scale) / Math.sqrt(columns) + 1e-4),
    columns,
  };
}

/** One linear layer of int8 rows. */
export function int8Program(rows: number, depth: number, columns: number): DeviceProgram {
  return async (device) => {
    const weight = device.uploadRows(seededRows(columns, depth, 51));
    const bias = device.upload(seededValues(columns, 0.5, 53), [columns]);
    const results = await device.run((ops) => [ops.linear(ops.input(seededValues(rows * depth, 2, 50), [rows, depth]), weight, bias, 'gelu')]);
    device.free(weight);
    device.free(bias);
    return results;
  };
}

/** What makes an encoder of linear layers: attention inside each text, normalisation and pooling. */
export function encoderProgram(lengths: readonly number[], heads: number, headSize: number): DeviceProgram {
  return async (device) => {
    const hidden = heads * headSize;
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    const gamma = device.upload(seededValues(hidden, 1, 61), [hidden]);
    const beta = device.upload(seededValues(hidden, 1, 62), [hidden]);
    const results = await device.run((ops) => {
      const qkv = ops.input(seededValues(tokens * 3 * hidden, 2, 63), [tokens, 3 * hidden]);
      const mixed = ops.attention(qkv, lengths, heads); // [tokens, hidden]
      const residual = ops.input(seededValues(tokens * hidden, 3, 64), [tokens, hidden]);
      const normed = ops.addLayerNorm(mixed, residual, gamma, beta, 1e-12); // [tokens, hidden]
      return [mixed, normed, ops.meanPool(normed, lengths)];
    });
    device.free(gamma);
    device.free(beta);
    return results;
  };
}

/** What the serving models run, by name: sequences, scores, the head and the encoder's parts in their own sizes, then odd ones. */
export const SERVING_PROGRAMS: Readonly<Record<string, DeviceProgram>> = {
  'lstm 96, 1 step, batch 1': lstmProgram({ steps: 1, batch: 1, input: 96, hidden: 96 }),
  'lstm 96, 1 step, batch 7': lstmProgram({ steps: 1, batch: 7, input: 96, hidden: 96 }),
  'lstm 96, 50 steps, batch 1': lstmProgram({ steps: 50, batch: 1, input: 96, hidden: 96 }),
  'lstm 96, 50 steps, batch 7': lstmProgram({ steps: 50, batch: 7, input: 96, hidden: 96 }),
  'lstm of odd sizes': lstmProgram({ steps: 3, batch: 2, input: 5, hidden: 7 }),
  'lstm with more gates than a workgroup': lstmProgram({ steps: 2, batch: 1, input: 3, hidden: 130 }),
  'lstm without steps': lstmProgram({ steps: 0, batch: 2, input: 4, hidden: 8 }),
  'scores 1x64 · 3700x64': denseProgram(1, [64, 3700], 'none', { hasBias: false }),
  'head 500x24, 32 relu, 16 relu, 1': denseProgram(500, [24, 32, 16, 1], 'relu'),
  'gelu of odd sizes': denseProgram(3, [7, 9, 5], 'gelu'),
  'tanh of one row': denseProgram(1, [10, 3, 1], 'tanh'),
  'batch of 40 rows, 384 to 100 gelu': denseProgram(40, [384, 100, 33], 'gelu'),
  'int8 rows, 9x384 to 1536': int8Program(9, 384, 1536),
  'int8 rows, 70x128 to 384': int8Program(70, 128, 384),
  'int8 rows of odd sizes': int8Program(3, 7, 5),
  'encoder parts of a title': encoderProgram([12], 12, 32),
  'encoder parts of a ragged batch, 12 heads of 32': encoderProgram([5, 1, 33, 0, 12, 128], 12, 32),
  'encoder parts of odd sizes': encoderProgram([2, 40, 3], 3, 35),
  'several results': severalResults,
};
