import type { TrainingKernels } from '../../compute/training-kernels.ts';
import type { BertDims } from '../../encoder/bert.ts';
import { RecommenderError } from '../../errors.ts';
import { createRandom, type Random } from '../../lib/random.ts';
import type { SafeTensors } from '../../lib/safetensors.ts';
import { clipGradients, stepAdamW } from '../parameters.ts';
import { createContrastiveLoss } from './contrastive-loss.ts';
import type { PairSampler } from './pair-sampler.ts';
import { TunedNetwork, tokensOf } from './tuned-network.ts';
import type { EncoderTuning } from './tuned-linear.ts';

export interface EncoderTuningOptions {
  readonly tuning: EncoderTuning;
  /** How many layers are trained, from the last one down. */
  readonly layers: number;
  /** Pairs of a step: each is compared with the others. */
  readonly pairs: number;
  /** What cosines are divided by. */
  readonly temperature: number;
  /** Its peak; it rises over the first tenth of the steps and falls to 0 after. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Largest norm of the gradients. */
  readonly clip: number;
  readonly epochs: number;
  /** Steps of an epoch, after which the encoder is validated. */
  readonly steps: number;
  readonly seed: number;
}

/** Chosen on Online Retail before 2011-10 (`npm run bench -- tuning`). */
export const DEFAULT_ENCODER_TUNING: Omit<EncoderTuningOptions, 'tuning' | 'learningRate'> = {
  layers: 1,
  pairs: 64,
  temperature: 0.1,
  weightDecay: 0.01,
  clip: 1,
  epochs: 4,
  steps: 60,
  seed: 1,
};

export interface TuningEpoch {
  readonly epoch: number;
  readonly loss: number;
  /** Of the validation; null where there is none. */
  readonly ndcg: number | null;
  readonly seconds: number;
}

export interface TuningData {
  /** The encoder's tensors. */
  readonly tensors: SafeTensors;
  readonly dims: BertDims;
  /** Hidden states of each text's tokens below the trained layers, [length, hidden]. */
  readonly states: readonly Float32Array[];
  readonly sampler: PairSampler;
  /** A figure of all texts' vectors [texts, hidden], larger is better, by which the epoch is chosen; null to take the last one. */
  readonly validate: ((vectors: Float32Array, epoch: number) => number) | null;
}

export interface TunedEncoder {
  /** All tensors of the tuned layers, by their names in the pack. */
  readonly tensors: ReadonlyMap<string, { readonly shape: number[]; readonly values: Float32Array }>;
  /** Numbers that were trained. */
  readonly parameters: number;
  /** Epoch 0 is the encoder as it came. */
  readonly history: readonly TuningEpoch[];
  /** The epoch whose weights these are. */
  readonly best: number;
  readonly interrupted: boolean;
}

export interface TuningHooks {
  readonly onProgress?: (progress: { epoch: number; share: number; loss: number }) => void;
  readonly onEpoch?: (epoch: TuningEpoch) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Tunes the encoder's last layers on pairs of texts that shoppers took together, by contrast with the batch's others; the epoch with the best
 * validation is kept, which may be the encoder as it came. The signal ends it there. The same seed gives the same bytes.
 * @throws RecommenderError `INVALID_DATA` for fewer than two texts with partners.
 */
export async function tuneEncoder(data: TuningData, kernels: TrainingKernels, options: EncoderTuningOptions, hooks: TuningHooks = {}): Promise<TunedEncoder> {
  const { dims, states, sampler, validate } = data;
  const { seed, epochs, steps, layers, learningRate, weightDecay } = options;
  const { hidden } = dims;
  if (sampler.texts < 2) throw new RecommenderError('INVALID_DATA', 'Fewer than two titles were taken together; an encoder needs a longer log to be tuned on.');
  const pairs = Math.min(options.pairs, sampler.texts);
  const longest = states.reduce((most, state) => Math.max(most, state.length / hidden), 0);
  const shape = { dims, layers, texts: 2 * pairs, tokens: 2 * pairs * longest };
  const network = new TunedNetwork(data.tensors, shape, options.tuning, kernels, createRandom(seed));
  const loss = createContrastiveLoss({ pairs, size: hidden, temperature: options.temperature }, kernels);
  const sides = [kernels.allocate(pairs * hidden), kernels.allocate(pairs * hidden)] as const;
  const gradients = kernels.allocate(2 * pairs * hidden);
  const { parameters } = network;
  const history: TuningEpoch[] = [];
  let best = { epoch: 0, ndcg: -Infinity, values: new Map<string, Float32Array>() };
  const random = createRandom(seed + 1);

  const close = (epoch: number, meanLoss: number, started: number): void => {
    const ndcg = validate ? validate(encodeAll(network, states, shape), epoch) : null;
    const record = { epoch, loss: meanLoss, ndcg, seconds: (Date.now() - started) / 1_000 };
    history.push(record);
    hooks.onEpoch?.(record);
    if (ndcg === null || ndcg > best.ndcg) best = { epoch, ndcg: ndcg ?? 0, values: new Map([...parameters].map(([name, { values }]) => [name, values.slice()])) };
  };

  close(0, NaN, Date.now());
  const isInterrupted = (): boolean => hooks.signal?.aborted === true;
  for (let epoch = 1; epoch <= epochs && !isInterrupted(); epoch++) {
    const started = Date.now();
    let total = 0;
    for (let step = 0; step < steps && !isInterrupted(); step++) {
      const { anchors, partners } = drawBatch(sampler, pairs, random);
      const batch = [...anchors, ...partners].map((text) => states[text]!);
      const vectors = network.forward(batch); // [2 · pairs, hidden]
      sides[0].set(vectors.subarray(0, pairs * hidden));
      sides[1].set(vectors.subarray(pairs * hidden));
      for (const { gradient } of parameters.values()) gradient.fill(0);
      const [ofAnchors, ofPartners] = [gradients.subarray(0, pairs * hidden), gradients.subarray(pairs * hidden)];
      const isExcluded = (i: number, j: number): boolean => partners[j] === anchors[i] || partners[j] === partners[i] || anchors[j] === partners[i];
      total += loss.learn({ anchors: sides[0], partners: sides[1], isExcluded }, { anchors: ofAnchors, partners: ofPartners });
      network.backward(gradients, batch);
      clipGradients(kernels, parameters, options.clip);
      const done = (epoch - 1) * steps + step;
      stepAdamW(kernels, parameters, { step: done + 1, learningRate: learningRate * rateOf((done + 1) / (epochs * steps)), weightDecay });
      network.refresh();
      hooks.onProgress?.({ epoch, share: (done + 1) / (epochs * steps), loss: total / (step + 1) });
      await new Promise((resolve) => setImmediate(resolve)); // lets signals and progress through
    }
    if (!isInterrupted()) close(epoch, total / steps, started);
  }
  for (const [name, { values }] of parameters) values.set(best.values.get(name)!);
  network.refresh();
  return {
    tensors: network.tensors(),
    parameters: [...parameters.values()].reduce((sum, { values }) => sum + values.length, 0),
    history,
    best: best.epoch,
    interrupted: isInterrupted(),
  };
}

/** Rises over the first tenth, then falls to 0 in a straight line. */
function rateOf(share: number): number {
  return Math.min(share / 0.1, (1 - share) / 0.9);
}

/** Pairs with distinct anchors, as far as ten draws for each find them. */
function drawBatch(sampler: PairSampler, pairs: number, random: Random): { anchors: number[]; partners: number[] } {
  const taken = new Map<number, number>();
  const spare: (readonly [number, number])[] = [];
  for (let draws = 0; draws < 10 * pairs && taken.size < pairs; draws++) {
    const pair = sampler.draw(random);
    if (taken.has(pair[0])) spare.push(pair);
    else taken.set(...pair);
  }
  const batch = [...taken, ...spare].slice(0, pairs);
  return { anchors: batch.map(([anchor]) => anchor), partners: batch.map(([, partner]) => partner) };
}

/** Vectors of all texts, [texts, hidden]. */
function encodeAll(network: TunedNetwork, states: readonly Float32Array[], { dims: { hidden }, texts, tokens }: TunedNetwork['shape']): Float32Array {
  const vectors = new Float32Array(states.length * hidden);
  let first = 0;
  for (let text = 0; text < states.length; text++) {
    const slice = states.slice(first, text + 1);
    const next = states[text + 1];
    if (next && slice.length < texts && tokensOf([...slice, next], hidden) <= tokens) continue;
    vectors.set(network.forward(slice), first * hidden);
    first = text + 1;
  }
  return vectors;
}
