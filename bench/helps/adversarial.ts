import { EVENT_FEATURES } from '../../src/behaviour/sequence.ts';
import type { TrainingKernels } from '../../src/compute/training-kernels.ts';
import type { InterestLanes } from '../../src/learn/interest-lanes.ts';
import type { InterestNetwork, LearningStep } from '../../src/learn/interest-network.ts';

export interface AdversarialOptions {
  /** Length of the perturbation of each embedding that is read. */
  readonly epsilon: number;
}

/**
 * Adversarial training on what is read (Miyato et al. 2017, "Adversarial training methods for semi-supervised text classification", section 3): the loss
 * of the next item is learnt once more where each item embedding is moved by ε g / ‖g‖, with g the loss's gradient there, as a constant. As in He et al. 2018 ("APR",
 * section 3.2) each embedding is moved by itself. A second set of lanes reads it, whose state has been perturbed all along.
 */
export class Adversarial {
  readonly #epsilon: number;
  readonly #lanes: InterestLanes;
  readonly #itemsGradient: Float32Array; // [slots, embedding]

  /** Before the network is trained. */
  constructor(network: InterestNetwork, kernels: TrainingKernels, { epsilon }: AdversarialOptions) {
    const { items, embedding } = network.shape;
    this.#epsilon = epsilon;
    this.#lanes = network.createLanes();
    this.#itemsGradient = kernels.allocate((items + 1) * embedding);
  }

  /** Adds to the gradients of a step, for `StepExtension.onEvents`; returns the loss at the perturbed input. */
  learn(step: LearningStep): number {
    return this.learnAt(step, this.perturbation(step));
  }

  /** ε g / ‖g‖ of each embedding that was read, zeros elsewhere: [rows, embedding]. */
  perturbation({ chunk, lanes }: LearningStep): Float32Array {
    const { embedding } = lanes.shape;
    const input = embedding + EVENT_FEATURES;
    const moved = new Float32Array(chunk.item.length * embedding);
    for (let row = 0; row < chunk.item.length; row++) {
      if (chunk.item[row]! < 0) continue;
      const own = moved.subarray(row * embedding, (row + 1) * embedding);
      let squares = 0;
      for (let k = 0; k < embedding; k++) {
        own[k] = lanes.xGradient[row * input + k]! * lanes.inputFactors[row * embedding + k]!;
        squares += own[k]! * own[k]!;
      }
      const factor = squares > 0 ? this.#epsilon / Math.sqrt(squares) : 0; // nothing is predicted after the last events of a lane
      for (let k = 0; k < embedding; k++) own[k]! *= factor;
    }
    return moved;
  }

  /** As `learn`, with embeddings moved by `moved` [rows, embedding]. */
  learnAt({ lanes: first, random, items, loss, batch }: LearningStep, moved: Float32Array): number {
    const lanes = this.#lanes;
    const { embedding } = lanes.shape;
    const input = embedding + EVENT_FEATURES;
    lanes.readAgain(first, random, (x) => {
      for (let at = 0; at < moved.length; at++) x[Math.floor(at / embedding) * input + (at % embedding)]! += moved[at]! * lanes.inputFactors[at]!;
    });
    this.#itemsGradient.fill(0);
    const value = loss.learn({ ...batch, user: lanes.user }, { user: lanes.userGradient, items: this.#itemsGradient, bias: items.biasGradient });
    for (let at = 0; at < this.#itemsGradient.length; at++) items.gradient[at]! += this.#itemsGradient[at]!;
    lanes.backUsers();
    lanes.backEvents();
    return value;
  }
}
