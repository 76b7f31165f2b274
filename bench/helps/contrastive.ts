import type { TrainingKernels } from '../../src/compute/training-kernels.ts';
import type { InterestLanes } from '../../src/learn/interest-lanes.ts';
import type { InterestNetwork, LearningStep } from '../../src/learn/interest-network.ts';
import type { Chunk } from '../../src/learn/lanes.ts';
import { createNtXent, type NtXent } from './nt-xent.ts';

export interface ContrastiveOptions {
  /** λ beside the loss of the next item. */
  readonly weight: number;
  readonly temperature: number;
}

/**
 * A contrastive loss (Xie et al. 2022, "CL4SRec", section 3.2) between two views of each shopper of a chunk that differ by dropout alone (Qiu et al.
 * 2022, "DuoRec", section 4.2.1), so that both read the chunk as it is: the network's own lanes give one view, a second set of lanes the other.
 */
export class Contrastive {
  readonly #options: ContrastiveOptions;
  readonly #lanes: InterestLanes;
  readonly #ntXent: NtXent;

  /** Before the network is trained. */
  constructor(network: InterestNetwork, kernels: TrainingKernels, options: ContrastiveOptions) {
    const { lanes, steps, embedding } = network.shape;
    this.#options = options;
    this.#lanes = network.createLanes();
    this.#ntXent = createNtXent({ pairs: lanes * Math.ceil(steps / 2), embedding, temperature: options.temperature }, kernels);
  }

  /** Adds to the gradients of a step, for `StepExtension.onUsers`; returns weight · loss. */
  learn({ chunk, lanes: first, random, regularisation, rows }: LearningStep): number {
    const second = this.#lanes;
    const { embedding, lanes } = second.shape;
    const { vectors, gradient } = this.#ntXent;
    const places = rows.flatMap((row, at) => (endsView(chunk, row, lanes) ? [at] : [])); // among the rows that predict
    const pairs = places.length;
    second.read(chunk, places.map((at) => rows[at]!), random, regularisation);
    places.forEach((at, pair) => vectors.set(first.user.subarray(at * embedding, (at + 1) * embedding), pair * embedding));
    vectors.set(second.user.subarray(0, pairs * embedding), pairs * embedding);
    const loss = this.#ntXent.learn(pairs, this.#options.weight);
    places.forEach((at, pair) => {
      for (let k = 0; k < embedding; k++) first.userGradient[at * embedding + k]! += gradient[pair * embedding + k]!;
    });
    second.userGradient.set(gradient.subarray(pairs * embedding, 2 * pairs * embedding));
    second.backUsers();
    second.backEvents();
    return loss;
  }
}

/** Whether a row is the last that a chunk has of its shopper, who has done something before: at most every other row of a lane. */
function endsView({ keep, targetExists }: Chunk, row: number, lanes: number): boolean {
  const next = row + lanes;
  return keep[row] === 1 && (next >= keep.length || keep[next] === 0 || targetExists[next] === 0);
}
