import { adamWFactors } from '../adam-w-factors.ts';
import type { TrainingKernels } from '../training-kernels.ts';
import { sigmoid } from './activations.ts';
import { referenceLstmBackward, referenceLstmForward } from './lstm-training.ts';
import { matmul } from './matmul.ts';

/** log(1 + e^x) */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Training kernels in plain TypeScript: sums in float64, results in float32. The oracle of the WebAssembly twin. */
export function createReferenceTrainingKernels(): TrainingKernels {
  return {
    name: 'reference',
    allocate: (length) => new Float32Array(length),
    release() {
      // Memory here belongs to the garbage collector.
    },
    matmul,
    lstmForward: referenceLstmForward,
    lstmBackward: referenceLstmBackward,

    softmaxCrossEntropy(logits, targets, weights, { rows, classes }) {
      let loss = 0;
      for (let row = 0; row < rows; row += 1) {
        const values = logits.subarray(row * classes, (row + 1) * classes); // [classes]
        const weight = weights[row]!;
        if (weight === 0) {
          values.fill(0);
          continue;
        }
        const target = targets[row]!;
        const maximum = values.reduce((a, b) => Math.max(a, b), -Infinity);
        const margin = maximum - values[target]!;
        const sum = values.reduce((total, value) => total + Math.exp(value - maximum), 0);
        for (let i = 0; i < classes; i += 1) {
          values[i] = weight * (Math.exp(values[i]! - maximum) / sum - (i === target ? 1 : 0));
        }
        loss += weight * (margin + Math.log(sum));
      }
      return loss;
    },

    binaryCrossEntropy(logits, targets, weights, { rows, classes, positiveWeight }) {
      let loss = 0;
      for (let row = 0; row < rows; row += 1) {
        const weight = weights[row]!;
        for (let i = 0; i < classes; i += 1) {
          const at = row * classes + i;
          const logit = logits[at]!;
          if (weight === 0) logits[at] = 0;
          else if (i === targets[row]) {
            loss += weight * positiveWeight * softplus(-logit);
            logits[at] = -weight * positiveWeight * sigmoid(-logit);
          } else {
            loss += weight * softplus(logit);
            logits[at] = weight * sigmoid(logit);
          }
        }
      }
      return loss;
    },

    adamW(parameters, gradients, first, second, options) {
      const { beta1, beta2, epsilon } = options;
      const { stepSize, correction, decay } = adamWFactors(options);
      for (let i = 0; i < parameters.length; i += 1) {
        const g = gradients[i]!;
        const m = beta1 * first[i]! + (1 - beta1) * g;
        const v = beta2 * second[i]! + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        parameters[i] = decay * parameters[i]! - (stepSize * m) / (Math.sqrt(v) * correction + epsilon);
      }
    },

    scale(x, factor) {
      for (let i = 0; i < x.length; i += 1) x[i]! *= factor;
    },

    addBias(values, bias, { rows, columns }) {
      for (let i = 0; i < rows * columns; i += 1) values[i]! += bias[i % columns]!;
    },

    addColumns(sums, values, { rows, columns }) {
      for (let column = 0; column < columns; column += 1) {
        let sum = sums[column]!;
        for (let row = 0; row < rows; row += 1) sum += values[row * columns + column]!;
        sums[column] = sum;
      }
    },

    sumOfSquares: (x) => x.reduce((sum, value) => sum + value * value, 0),
  };
}
