import type { SessionContext, SimpleRanker } from './simple-ranker.ts';

/** A trained Mult-VAE; the log-variances are only needed while it is trained. */
export interface MultVae {
  readonly items: number;
  readonly hidden: number;
  readonly latent: number;
  /** [items, hidden], [hidden] */
  readonly input: Float32Array;
  readonly inputBias: Float32Array;
  /** The first `latent` rows of [2 · latent, hidden] and of [2 · latent] give the mean. */
  readonly code: Float32Array;
  readonly codeBias: Float32Array;
  /** [hidden, latent], [hidden] */
  readonly decoder: Float32Array;
  readonly decoderBias: Float32Array;
  /** [items, hidden], [items] */
  readonly output: Float32Array;
  readonly outputBias: Float32Array;
}

/**
 * Scores p(item | the shopper's items), the soft-max of the decoder at the mean of the code, without sampling
 * (Liang et al. 2018, "Variational autoencoders for collaborative filtering", section 2.3). Session and earlier history are one
 * set, in which order and repetition say nothing; without any item there is no evidence.
 */
export function createMultVae(model: MultVae): SimpleRanker {
  const { items, hidden, latent } = model;
  return {
    name: 'Mult-VAE',
    score(context, out) {
      out.fill(0);
      const owned = itemsOf(context, items);
      if (owned.length === 0) return;
      const first = model.inputBias.slice(); // [hidden]
      for (const item of owned) {
        for (let k = 0; k < hidden; k++) first[k]! += model.input[item * hidden + k]! / Math.sqrt(owned.length);
      }
      tanh(first);
      const code = affine(model.code, model.codeBias.subarray(0, latent), first); // [latent]
      const second = tanh(affine(model.decoder, model.decoderBias, code)); // [hidden]
      const logits = affine(model.output, model.outputBias, second); // [items]
      const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
      let sum = 0;
      for (let item = 0; item < items; item++) sum += out[item] = Math.exp(logits[item]! - highest);
      for (let item = 0; item < items; item++) out[item]! /= sum;
    },
  };
}

function itemsOf({ session, history, now }: SessionContext, items: number): number[] {
  const earlier = history.filter(({ time }) => time < now);
  return [...new Set([...earlier, ...session].flatMap(({ item, weight }) => (weight > 0 && item >= 0 && item < items ? [item] : [])))];
}

/** weight · x + bias, weight [bias, x] row-major. */
function affine(weight: Float32Array, bias: Float32Array, x: Float32Array): Float32Array {
  return bias.map((start, row) => {
    let sum = start;
    for (let k = 0; k < x.length; k++) sum += weight[row * x.length + k]! * x[k]!;
    return sum;
  });
}

/** In place. */
function tanh(values: Float32Array): Float32Array {
  for (let k = 0; k < values.length; k++) values[k] = Math.tanh(values[k]!);
  return values;
}
