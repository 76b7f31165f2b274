import type * as tfjs from '@tensorflow/tfjs-core';
import { RecommenderError } from '../../errors.ts';
import type { Activation, Primitives, Tensor } from '../device.ts';
import { createRaggedLayout } from './ragged-layout.ts';
import type { Tfjs } from './tfjs.ts';

const MASKED = -1e9; // Added to a padded token's attention logit: its probability is then 0 in float32.

/** The tfjs tensor behind one of ours: they are the same object, as tfjs tensors have a shape. */
export function toTf(tf: Tfjs, tensor: Tensor): tfjs.Tensor {
  if (tensor instanceof tf.Tensor) return tensor as tfjs.Tensor;
  throw new RecommenderError('DEVICE_FAILED', 'The tensor was made on another device.');
}

/**
 * Every primitive as plain tfjs ops; to be called inside tf.tidy(), which releases what they make.
 * `transposed` gives a weight [m, k] as [k, m].
 */
export function createPrimitives(tf: Tfjs, transposed: (weight: tfjs.Tensor2D) => tfjs.Tensor2D): Primitives {
  /** x · weightᵀ + bias: [n, k] and [m, k] -> [n, m]; tfjs fuses the bias, and relu. */
  function multiply(x: Tensor, weight: Tensor, bias: Tensor | null, activation: 'linear' | 'relu' = 'linear'): tfjs.Tensor2D {
    const a = toTf(tf, x) as tfjs.Tensor2D;
    const b = transposed(toTf(tf, weight) as tfjs.Tensor2D); // [k, m]
    return tf.fused.matMul({ a, b, activation, ...(bias && { bias: toTf(tf, bias) }) }) as tfjs.Tensor2D;
  }

  function activate(x: tfjs.Tensor, activation: Exclude<Activation, 'relu'>): tfjs.Tensor {
    switch (activation) {
      case 'none':
        return x;
      case 'tanh':
        return tf.tanh(x);
      case 'gelu':
        return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
    }
  }

  return {
    input: (values, shape) => tf.tensor(values, [...shape], 'float32'),

    linear(x, weight, bias, activation = 'none') {
      if (activation === 'relu') return multiply(x, weight, bias, 'relu');
      return activate(multiply(x, weight, bias), activation);
    },

    addLayerNorm(x, residual, gamma, beta, epsilon) {
      const sum = tf.add(toTf(tf, x), toTf(tf, residual)); // [n, d]
      const centred = tf.sub(sum, tf.mean(sum, -1, true));
      const variance = tf.mean(tf.square(centred), -1, true); // [n, 1]
      const normal = tf.div(centred, tf.sqrt(tf.add(variance, epsilon)));
      return tf.add(tf.mul(normal, toTf(tf, gamma)), toTf(tf, beta));
    },

    attention(qkv, lengths, heads) {
      const { rows, padding, texts, longest, isPadded, unpad } = createRaggedLayout(lengths);
      const all = toTf(tf, qkv);
      const size = all.shape[1]! / 3 / heads;
      const padded = isPadded ? tf.gather(all, tf.tensor(rows, [rows.length], 'int32')) : all; // [texts · longest, 3 · hidden]
      const byHead = tf.transpose(tf.reshape(padded, [texts, longest, 3, heads, size]), [2, 0, 3, 1, 4]);
      const [q, k, v] = tf.unstack(byHead) as [tfjs.Tensor4D, tfjs.Tensor4D, tfjs.Tensor4D]; // [texts, heads, longest, size]
      const logits = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(size)); // [texts, heads, longest, longest]
      const mask = tf.mul(tf.tensor(padding, [texts, 1, 1, longest], 'float32'), MASKED);
      const mixed = tf.matMul(tf.softmax(isPadded ? tf.add(logits, mask) : logits), v); // [texts, heads, longest, size]
      const byToken = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [texts * longest, heads * size]);
      return isPadded ? tf.gather(byToken, tf.tensor(unpad, [unpad.length], 'int32')) : byToken; // [tokens, hidden]
    },

    meanPool(x, lengths) {
      const { rows, padding, texts, longest, isPadded } = createRaggedLayout(lengths);
      const padded = isPadded ? tf.gather(toTf(tf, x), tf.tensor(rows, [rows.length], 'int32')) : toTf(tf, x); // [texts · longest, hidden]
      const present = tf.sub(1, tf.tensor(padding, [texts, longest, 1], 'float32'));
      const sums = tf.sum(tf.mul(tf.reshape(padded, [texts, longest, -1]), present), 1); // [texts, hidden]
      const means = tf.div(sums, tf.maximum(tf.tensor([...lengths], [texts, 1], 'float32'), 1));
      return tf.div(means, tf.maximum(tf.norm(means, 'euclidean', -1, true), 1e-12));
    },

    lstm(x, { inputWeights, hiddenWeights, bias }, state) {
      const [steps, batch, input] = x.shape as [number, number, number];
      const hidden = state.shape[2]!;
      let [h, c] = tf.unstack(toTf(tf, state)) as [tfjs.Tensor2D, tfjs.Tensor2D]; // [batch, hidden]
      if (steps === 0) return tf.stack([h, c]);
      // The inputs' share of every step in one product, as it does not wait for the state.
      const fromInput = multiply(tf.reshape(toTf(tf, x), [steps * batch, input]), inputWeights, bias);
      for (const step of tf.unstack(tf.reshape(fromInput, [steps, batch, 4 * hidden]))) {
        const gates = tf.add(step, multiply(h, hiddenWeights, null)); // [batch, 4 · hidden]
        const [i, f, g, o] = tf.split(gates, 4, 1) as [tfjs.Tensor2D, tfjs.Tensor2D, tfjs.Tensor2D, tfjs.Tensor2D];
        c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
        h = tf.mul(tf.sigmoid(o), tf.tanh(c));
      }
      return tf.stack([h, c]);
    },
  };
}
