import type { LstmParameters, TrainingKernels } from '../compute/training-kernels.ts';
import type { ParameterPlan, ParameterSet } from './parameters.ts';
import type { SequenceLayer, SequenceShape } from './sequence-layer.ts';

export function lstmPlan({ input, hidden }: SequenceShape): ParameterPlan {
  const spread = 1 / Math.sqrt(hidden);
  return {
    'lstm.input': { shape: [4 * hidden, input], spread },
    'lstm.hidden': { shape: [4 * hidden, hidden], spread },
    'lstm.bias': { shape: [4 * hidden], spread: 0 },
  };
}

/** One LSTM layer (Hochreiter & Schmidhuber 1997, with forget gates), on the kernels of its own. */
export function createLstmLayer({ lanes, steps, input, hidden }: SequenceShape, parameters: ParameterSet, kernels: TrainingKernels): SequenceLayer {
  const rows = lanes * steps;
  const shape = { steps, batch: lanes, input, hidden };
  const part = (which: 'values' | 'gradient'): LstmParameters => ({
    inputWeights: parameters.get('lstm.input')![which],
    hiddenWeights: parameters.get('lstm.hidden')![which],
    bias: parameters.get('lstm.bias')![which],
  });
  const weights = part('values');
  weights.bias.fill(1, hidden, 2 * hidden); // an open forget gate at the start (Jozefowicz et al. 2015)
  const tape = { gates: kernels.allocate(rows * 4 * hidden), hidden: kernels.allocate(rows * hidden), cell: kernels.allocate(rows * hidden) };
  const state = kernels.allocate(2 * lanes * hidden); // [2, lanes, hidden]
  const stateBefore = kernels.allocate(2 * lanes * hidden);
  return {
    resetState: () => state.fill(0),
    forward(x, keep) {
      stateBefore.set(state);
      kernels.lstmForward(tape, x, weights, state, keep, shape);
      return tape.hidden;
    },
    backward(xGradient, hiddenGradient, x, keep) {
      kernels.lstmBackward(part('gradient'), xGradient, hiddenGradient, tape, x, weights, stateBefore, keep, shape);
    },
  };
}
