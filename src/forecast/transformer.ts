import { RecommenderError } from '../errors.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import { linearRow } from './linear-row.ts';
import type { PlainSequence, SequenceSizes } from './sequence-model.ts';

const EPSILON = 1e-5; // of layer norms

/**
 * The served twin of `learn/transformer-layer.ts`: a step costs one row, since keys and values of the last `window` behaviours are in
 * the state, [hidden + 1 + layers · 2 · window · hidden]: h, how many behaviours were read, and rings of keys and of values.
 */
export function createTransformer(tensors: SafeTensors, { width, hidden }: SequenceSizes): PlainSequence {
  const get = (name: string, ...shape: number[]): Float32Array => floatTensor(tensors, `transformer.${name}`, shape);
  const [heads = 0, window = 0] = tensors.get('transformer.0.distances')?.shape ?? [];
  if (window === 0 || heads === 0 || hidden % heads !== 0) throw new RecommenderError('PACK_INVALID', `transformer.0.distances must be [heads, window], and heads divide ${hidden}.`);
  const norm = (name: string) => ({ gain: get(`${name}.gain`, hidden), bias: get(`${name}.bias`, hidden) });
  const input = get('input', hidden, width);
  const inputBias = get('inputBias', hidden);
  const blocks: ReturnType<typeof createBlock>[] = [];
  while (tensors.has(`transformer.${blocks.length}.distances`)) blocks.push(createBlock(blocks.length));
  const after = norm('after');
  const ring = window * hidden;

  function createBlock(layer: number) {
    const before = norm(`${layer}.before`);
    const attention = get(`${layer}.attention`, 3 * hidden, hidden);
    const attentionBias = get(`${layer}.attentionBias`, 3 * hidden);
    const distances = get(`${layer}.distances`, heads, window);
    const [mix, mixBias] = [get(`${layer}.mix`, hidden, hidden), get(`${layer}.mixBias`, hidden)];
    const between = norm(`${layer}.between`);
    const inner = tensors.get(`transformer.${layer}.widen`)?.shape[0] ?? 0;
    const [widen, widenBias] = [get(`${layer}.widen`, inner, hidden), get(`${layer}.widenBias`, inner)];
    const [narrow, narrowBias] = [get(`${layer}.narrow`, hidden, inner), get(`${layer}.narrowBias`, hidden)];
    /** Adds to the stream [hidden]; `count` behaviours were read before this one. */
    return (stream: Float32Array, keys: Float32Array, values: Float32Array, count: number): void => {
      const projected = linearRow(attention, normalise(stream, before), attentionBias);
      keys.set(projected.subarray(hidden, 2 * hidden), (count % window) * hidden);
      values.set(projected.subarray(2 * hidden), (count % window) * hidden);
      const seen = attend(projected.subarray(0, hidden), keys, values, distances, count);
      add(stream, linearRow(mix, seen, mixBias));
      const wide = linearRow(widen, normalise(stream, between), widenBias).map((value) => Math.max(0, value));
      add(stream, linearRow(narrow, wide, narrowBias));
    };
  }

  function attend(query: Float32Array, keys: Float32Array, values: Float32Array, distances: Float32Array, count: number): Float32Array {
    const size = hidden / heads;
    const reach = Math.min(window, count + 1);
    const out = new Float32Array(hidden);
    const scores = new Float32Array(reach);
    for (let head = 0; head < heads; head++) {
      for (let distance = 0; distance < reach; distance++) {
        const other = ((count - distance) % window) * hidden;
        let product = 0;
        for (let k = head * size; k < (head + 1) * size; k++) product += query[k]! * keys[other + k]!;
        scores[distance] = product / Math.sqrt(size) + distances[head * window + distance]!;
      }
      const highest = Math.max(...scores);
      let sum = 0;
      for (let distance = 0; distance < reach; distance++) sum += scores[distance] = Math.exp(scores[distance]! - highest);
      for (let distance = 0; distance < reach; distance++) {
        const other = ((count - distance) % window) * hidden;
        for (let k = head * size; k < (head + 1) * size; k++) out[k]! += (scores[distance]! / sum) * values[other + k]!;
      }
    }
    return out;
  }

  return {
    stateLength: hidden + 1 + blocks.length * 2 * ring,
    step(state, x) {
      const count = state[hidden]!;
      const stream = linearRow(input, x, inputBias);
      blocks.forEach((block, layer) => {
        const start = hidden + 1 + layer * 2 * ring;
        block(stream, state.subarray(start, start + ring), state.subarray(start + ring, start + 2 * ring), count);
      });
      state.set(normalise(stream, after));
      // float32 counts to 2^24: from there on only the place in the ring matters.
      state[hidden] = count + 1 < 2 ** 23 ? count + 1 : window + ((count + 1) % window);
    },
  };
}

function normalise(x: Float32Array, { gain, bias }: { gain: Float32Array; bias: Float32Array }): Float32Array {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  const inverse = 1 / Math.sqrt(variance + EPSILON);
  return x.map((value, k) => (value - mean) * inverse * gain[k]! + bias[k]!);
}

function add(sums: Float32Array, values: Float32Array): void {
  for (let k = 0; k < sums.length; k++) sums[k]! += values[k]!;
}
