import * as tf from '../../helpers/tfjs.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Device, Primitives, Tensor } from '../../../src/compute/device.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createTfjsDevice } from '../../../src/compute/tfjs/device.ts';
import { seededValues, SERVING_PROGRAMS } from '../../helpers/device-programs.ts';

const TOLERANCE = 1e-4;

function expectClose(actual: readonly Float32Array[], expected: readonly Float32Array[]): void {
  expect(actual.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  const far = actual.map((values, index) => values.findIndex((value, at) => !(Math.abs(value - expected[index]![at]!) <= TOLERANCE)));
  expect(far).toEqual(actual.map(() => -1));
}

const input = (ops: Primitives, seed: number, ...shape: number[]): Tensor =>
  ops.input(seededValues(shape.reduce((size, dimension) => size * dimension, 1), 1.5, seed), shape);

/** The encoder's primitives, on shapes that no kernel is blocked for. */
const ENCODER_PROGRAMS: Readonly<Record<string, (ops: Primitives) => readonly Tensor[]>> = {
  'addLayerNorm [5, 7]': (ops) => [
    ops.addLayerNorm(input(ops, 1, 5, 7), input(ops, 2, 5, 7), input(ops, 3, 7), input(ops, 4, 7), 1e-12),
  ],
  'addLayerNorm of equal values': (ops) => {
    const ones = ops.input(new Float32Array(6).fill(1), [2, 3]);
    return [ops.addLayerNorm(ones, ones, input(ops, 3, 3), input(ops, 4, 3), 1e-6)];
  },
  'attention, ragged, 3 heads of 5': (ops) => [ops.attention(input(ops, 5, 11, 45), [3, 1, 7], 3)],
  'attention, one text of one token': (ops) => [ops.attention(input(ops, 6, 1, 6), [1], 1)],
  'attention, large logits': (ops) => [ops.attention(ops.input(seededValues(4 * 12, 30, 7), [4, 12]), [4], 2)],
  'meanPool, ragged': (ops) => [ops.meanPool(input(ops, 8, 9, 13), [4, 1, 4])],
  'meanPool of zeros': (ops) => [ops.meanPool(ops.input(new Float32Array(6), [2, 3]), [2])],
};

let device: Device;
const reference = createReferenceDevice();

beforeAll(async () => {
  await tf.setBackend('cpu');
  device = createTfjsDevice(tf);
});

describe('the tfjs device agrees with the reference', () => {
  it.each(Object.entries(SERVING_PROGRAMS))('%s', async (_, program) => {
    expectClose(await program(device), await program(reference));
  });

  it.each(Object.entries(ENCODER_PROGRAMS))('%s', async (_, program) => {
    expectClose(await device.run(program), await reference.run(program));
  });
});

describe('the tfjs device', () => {
  it('leaves no tensor behind: after runs, failures, free() and dispose()', async () => {
    const before = tf.memory().numTensors;
    const other = createTfjsDevice(tf);
    const weight = other.upload(seededValues(6, 1, 1), [2, 3]);
    const kept = other.upload(seededValues(2, 1, 1), [2]);
    const uploaded = tf.memory().numTensors;
    expect(uploaded).toBe(before + 2);

    for (const program of Object.values(ENCODER_PROGRAMS)) await other.run(program);
    await other.run((ops) => [ops.linear(ops.input(seededValues(3, 1, 2), [1, 3]), weight, kept, 'gelu')]);
    await expect(
      other.run((ops) => [ops.linear(ops.input(seededValues(4, 1, 2), [1, 4]), weight, kept)]),
    ).rejects.toMatchObject({ code: 'DEVICE_FAILED' });
    expect(tf.memory().numTensors).toBe(uploaded + 1); // the weight, transposed

    other.free(weight);
    expect(tf.memory().numTensors).toBe(before + 1);
    other.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps weights that are uploaded inside a tidy()', async () => {
    const uploads: Tensor[] = [];
    tf.tidy(() => void uploads.push(device.upload(Float32Array.of(2), [1, 1])));
    const weight = uploads[0]!;
    const [values] = await device.run((ops) => [ops.linear(ops.input(Float32Array.of(3), [1, 1]), weight, null)]);
    expect([...values!]).toEqual([6]);
    device.free(weight);
  });

  it('neither reads the caller’s array later nor hands out its own', async () => {
    const values = Float32Array.of(1, 2);
    const weight = device.upload(values, [1, 2]);
    values.fill(9);
    const [first] = await device.run(() => [weight]);
    expect([...first!]).toEqual([1, 2]);
    first!.fill(7);
    expect([...(await device.run(() => [weight]))[0]!]).toEqual([1, 2]);
    device.free(weight);
  });

  it('names its backend and refuses tensors of other devices', async () => {
    expect(device.kernel).toBe('tfjs-cpu');
    const foreign = reference.upload(Float32Array.of(1), [1, 1]);
    await expect(device.run((ops) => [ops.linear(foreign, foreign, null)])).rejects.toMatchObject({ code: 'DEVICE_FAILED' });
  });
});
