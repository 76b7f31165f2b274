import type { SafeTensors } from '../lib/safetensors.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import { linearRow } from './linear-row.ts';
import type { PlainSequence, SequenceSizes } from './sequence-model.ts';

/** The served twin of `learn/gru-layer.ts`; a state is h, [hidden]. */
export function createGru(tensors: SafeTensors, { width, hidden }: SequenceSizes): PlainSequence {
  const get = (name: string, ...shape: number[]): Float32Array => floatTensor(tensors, `gru.${name}`, shape);
  const inputWeights = get('input', 3 * hidden, width);
  const hiddenWeights = get('hidden', 3 * hidden, hidden);
  const bias = get('bias', 3 * hidden);
  const candidateBias = get('candidateBias', hidden);
  const read = new Float32Array(3 * hidden);
  const recurrent = new Float32Array(3 * hidden);
  return {
    stateLength: hidden,
    step(state, x) {
      linearRow(inputWeights, x, bias, read);
      linearRow(hiddenWeights, state, null, recurrent);
      for (let k = 0; k < hidden; k++) {
        const reset = sigmoid(read[k]! + recurrent[k]!);
        const update = sigmoid(read[hidden + k]! + recurrent[hidden + k]!);
        const fresh = Math.tanh(read[2 * hidden + k]! + reset * (recurrent[2 * hidden + k]! + candidateBias[k]!));
        state[k] = fresh + update * (state[k]! - fresh);
      }
    },
  };
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
