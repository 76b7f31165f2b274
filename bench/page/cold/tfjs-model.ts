import * as tf from '@tensorflow/tfjs-core';
import { HISTORY, type ColdModel } from './answer.ts';

/** The cold pages' model as tfjs ops: scores of the items after the history. */
export async function scoreWithTfjs({ inputWeights, hiddenWeights, bias, items }: ColdModel): Promise<Float32Array> {
  const hidden = hiddenWeights.shape[1]!;
  const matrix = ({ values, shape }: { values: Float32Array; shape: readonly number[] }): tf.Tensor2D => tf.tensor2d(values, shape as [number, number]);
  const scores = tf.tidy(() => {
    const recurrent = matrix(hiddenWeights);
    const fromInput = tf.add(tf.matMul(matrix(HISTORY), matrix(inputWeights), false, true), tf.tensor1d(bias.values)); // [steps, 4 · hidden]
    let h: tf.Tensor2D = tf.zeros([1, hidden]);
    let c: tf.Tensor2D = tf.zeros([1, hidden]);
    for (const step of tf.unstack(fromInput)) {
      const gates = tf.add(step, tf.matMul(h, recurrent, false, true));
      const [i, f, g, o] = tf.split(gates, 4, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
    }
    return tf.matMul(h, matrix(items), false, true); // [1, items]
  });
  return scores.data<'float32'>();
}
