import type { TrainingKernels } from '../compute/training-kernels.ts';

export interface AttentionShape {
  readonly lanes: number;
  /** Steps of a chunk, and how far back a step looks, itself included. */
  readonly steps: number;
  readonly hidden: number;
  readonly heads: number;
}

/**
 * Which steps a step may look at, for all layers: those of its own sequence, `steps` of them at most. Positions count from the start of
 * the chunk before: step t of the chunk stands at steps + t.
 */
export class SequenceStarts {
  /** [rows]: the oldest position that a row looks at. */
  readonly oldest: Int32Array;
  readonly #lanes: number;
  readonly #steps: number;
  readonly #starts: Int32Array; // [lanes]: where the sequence of now began

  constructor({ lanes, steps }: Pick<AttentionShape, 'lanes' | 'steps'>) {
    this.#lanes = lanes;
    this.#steps = steps;
    this.oldest = new Int32Array(lanes * steps);
    this.#starts = new Int32Array(lanes);
    this.reset();
  }

  reset(): void {
    this.#starts.fill(2 * this.#steps);
  }

  /** `keep` [rows] is 0 where a sequence starts. */
  next(keep: Float32Array): void {
    for (let lane = 0; lane < this.#lanes; lane++) {
      let start = Math.max(0, this.#starts[lane]! - this.#steps); // what was now is before
      for (let step = 0; step < this.#steps; step++) {
        const row = step * this.#lanes + lane;
        if (keep[row] === 0) start = this.#steps + step;
        this.oldest[row] = Math.max(step + 1, start);
      }
      this.#starts[lane] = start;
    }
  }
}

/**
 * Causal multi-head attention within each lane (Vaswani et al. 2017, section 3.2.2), over the chunk and the one before, whose keys and
 * values are kept without gradients (Transformer-XL, Dai et al. 2019, section 3.2): every step sees the same number of steps, as in serving.
 * Positions enter as a learned number for each head and distance (Raffel et al. 2020, section 2.1).
 */
export class CausalAttention {
  /** [rows, hidden] */
  readonly query: Float32Array;
  readonly queryGradient: Float32Array;
  readonly keyGradient: Float32Array;
  readonly valueGradient: Float32Array;
  /** [rows, hidden]: what `forward` gave. */
  readonly out: Float32Array;
  readonly #shape: AttentionShape;
  readonly #keys: Float32Array; // [2 · steps, lanes, hidden]
  readonly #values: Float32Array;
  readonly #weights: Float32Array; // [rows, heads, distances]
  readonly #scores: Float32Array; // [distances], reused

  constructor(shape: AttentionShape, kernels: TrainingKernels) {
    const { lanes, steps, hidden, heads } = shape;
    const size = lanes * steps * hidden;
    this.#shape = shape;
    this.query = kernels.allocate(size);
    this.queryGradient = kernels.allocate(size);
    this.keyGradient = kernels.allocate(size);
    this.valueGradient = kernels.allocate(size);
    this.out = kernels.allocate(size);
    this.#keys = kernels.allocate(2 * size);
    this.#values = kernels.allocate(2 * size);
    this.#weights = new Float32Array(lanes * steps * heads * steps);
    this.#scores = new Float32Array(steps);
  }

  /** Keys and values of the chunk, to be written before `forward`, [rows, hidden] each. */
  get key(): Float32Array {
    return this.#keys.subarray(this.#keys.length / 2);
  }

  get value(): Float32Array {
    return this.#values.subarray(this.#values.length / 2);
  }

  /** What was the chunk is the one before. */
  remember(): void {
    for (const array of [this.#keys, this.#values]) array.copyWithin(0, array.length / 2);
  }

  /** `distances` [heads, steps] is added to the scores. */
  forward(distances: Float32Array, { oldest }: SequenceStarts): void {
    const { lanes, steps, hidden, heads } = this.#shape;
    const size = hidden / heads;
    const scale = 1 / Math.sqrt(size);
    this.out.fill(0);
    for (let row = 0; row < lanes * steps; row++) {
      const lane = row % lanes;
      const position = steps + (row - lane) / lanes;
      const reach = position - oldest[row]! + 1;
      for (let head = 0; head < heads; head++) {
        const own = row * hidden + head * size;
        let highest = -Infinity;
        for (let distance = 0; distance < reach; distance++) {
          const other = ((position - distance) * lanes + lane) * hidden + head * size;
          let product = 0;
          for (let k = 0; k < size; k++) product += this.query[own + k]! * this.#keys[other + k]!;
          const score = product * scale + distances[head * steps + distance]!;
          this.#scores[distance] = score;
          if (score > highest) highest = score;
        }
        let sum = 0;
        for (let distance = 0; distance < reach; distance++) sum += this.#scores[distance] = Math.exp(this.#scores[distance]! - highest);
        const weights = (row * heads + head) * steps;
        for (let distance = 0; distance < reach; distance++) {
          const weight = this.#scores[distance]! / sum;
          this.#weights[weights + distance] = weight;
          const other = ((position - distance) * lanes + lane) * hidden + head * size;
          for (let k = 0; k < size; k++) this.out[own + k]! += weight * this.#values[other + k]!;
        }
      }
    }
  }

  /** From d(loss)/d(out) to query, key and value of the chunk, which are overwritten, and to `distances`, added to. */
  backward(outGradient: Float32Array, distancesGradient: Float32Array, { oldest }: SequenceStarts): void {
    const { lanes, steps, hidden, heads } = this.#shape;
    const size = hidden / heads;
    const scale = 1 / Math.sqrt(size);
    this.queryGradient.fill(0);
    this.keyGradient.fill(0);
    this.valueGradient.fill(0);
    for (let row = 0; row < lanes * steps; row++) {
      const lane = row % lanes;
      const position = steps + (row - lane) / lanes;
      const reach = position - oldest[row]! + 1;
      for (let head = 0; head < heads; head++) {
        const own = row * hidden + head * size;
        const weights = (row * heads + head) * steps;
        let along = 0;
        for (let distance = 0; distance < reach; distance++) {
          const other = ((position - distance) * lanes + lane) * hidden + head * size;
          let product = 0;
          for (let k = 0; k < size; k++) product += outGradient[own + k]! * this.#values[other + k]!;
          this.#scores[distance] = product;
          along += product * this.#weights[weights + distance]!;
        }
        for (let distance = 0; distance < reach; distance++) {
          const weight = this.#weights[weights + distance]!;
          const gradient = weight * (this.#scores[distance]! - along);
          distancesGradient[head * steps + distance]! += gradient;
          const there = position - distance;
          const other = (there * lanes + lane) * hidden + head * size;
          for (let k = 0; k < size; k++) this.queryGradient[own + k]! += gradient * scale * this.#keys[other + k]!;
          if (there < steps) continue; // of the chunk before
          const now = other - steps * lanes * hidden;
          for (let k = 0; k < size; k++) {
            this.keyGradient[now + k]! += gradient * scale * this.query[own + k]!;
            this.valueGradient[now + k]! += weight * outGradient[own + k]!;
          }
        }
      }
    }
  }
}
