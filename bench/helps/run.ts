import { availableParallelism } from 'node:os';
import { fingerprintOf } from '../../src/cli/train/stage-files.ts';
import type { TrainingShop } from '../../src/cli/train/read-shop.ts';
import { openTrainingKernels } from '../../src/compute/open-training-kernels.ts';
import type { TrainingKernels } from '../../src/compute/training-kernels.ts';
import type { Sample } from '../../src/evaluate/bootstrap.ts';
import type { Histories } from '../../src/learn/histories.ts';
import type { InterestNetwork, StepExtension } from '../../src/learn/interest-network.ts';
import { trainInterest, type Distortion, type InterestCheckpoint, type InterestData, type InterestTrainingOptions } from '../../src/learn/interest-training.ts';
import { pretrain } from '../../src/learn/pretraining.ts';
import { pretrainingName, type PretrainingOptions } from '../../src/learn/pretraining-kinds.ts';
import { createRandom } from '../../src/lib/random.ts';
import { parseSafetensors, writeSafetensors } from '../../src/lib/safetensors.ts';
import { cached } from '../text-vectors.ts';
import { Adversarial, type AdversarialOptions } from './adversarial.ts';
import { Contrastive, type ContrastiveOptions } from './contrastive.ts';
import { distortStream, hideMasked, type DistortionOptions } from './stream-distortion.ts';
import { replaceVectors } from './title-noise.ts';

/** How the interest model is trained, and on what. */
export interface RunOptions extends InterestTrainingOptions {
  readonly distortion: DistortionOptions;
  /** Share of items that an epoch reads by one of their noisy titles. */
  readonly titleNoise: number;
}

export interface BenchPretraining extends PretrainingOptions {
  /** Whether it learns from the shoppers of the training that follows alone. Default: from all. */
  readonly sameShoppers?: boolean;
}

/** One training, as plain data, by which it is kept. */
export interface Run {
  /** Share of the shoppers that are learnt from, drawn by a seed of its own. */
  readonly share: number;
  readonly options: RunOptions;
  readonly contrastive?: ContrastiveOptions;
  readonly adversarial?: AdversarialOptions;
  readonly pretraining?: BenchPretraining;
}

export interface Trained {
  /** NDCG@10 of each question, of the best epoch. */
  readonly gains: readonly Sample[];
  /** The best epoch's parameters. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
}

/** A shop as runs learn from it. */
export interface RunData {
  readonly name: string;
  readonly shop: TrainingShop;
  readonly data: InterestData;
  /** Vectors of noisy titles, each [items, text]; for `titleNoise`. */
  readonly noisyTexts?: readonly Float32Array[];
  /** Of its plain training on all shoppers, and so of every pretraining. */
  readonly options: RunOptions;
}

const KERNEL_MEGABYTES = 1_024;
const SHARE_SEED = 1;

/** Trains, or takes what was trained from the cache. */
export async function trainRun(label: string, from: RunData, run: Run): Promise<Trained> {
  const { name, shop, data, noisyTexts } = from;
  const bytes = await cached(`helps-${name}`, [fingerprintOf(shop, [JSON.stringify(run)])], async () => {
    const learnt = run.share < 1 ? { ...data, shoppers: drawShoppers(data.training, run.share) } : data;
    const start = run.pretraining && (await pretrained(from, run.pretraining, run.pretraining.sameShoppers ? { ...run, data: learnt } : { ...from, share: 1 }));
    const started = performance.now();
    const { gains, parameters, ndcg, epoch } = await train({ ...learnt, ...(start && { start }) }, run, noisyTexts);
    console.log(`${name}, ${label}: NDCG@10 ${ndcg.toFixed(4)} at epoch ${epoch}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
    return toBytes([...parameters, ['gains', Float32Array.from(gains, ({ value }) => value)], ['customers', Float32Array.from(gains, ({ customer }) => customer)]]);
  });
  const tensors = fromBytes(bytes);
  const customers = tensors.get('customers')!;
  const gains = Array.from(tensors.get('gains')!, (value, at) => ({ customer: customers[at]!, value }));
  return { gains, parameters: new Map([...tensors].filter(([tensor]) => tensor !== 'gains' && tensor !== 'customers')) };
}

export async function openKernels(megabytes = KERNEL_MEGABYTES): Promise<TrainingKernels & { close(): Promise<void> }> {
  return openTrainingKernels({ maxBytes: megabytes * 2 ** 20, threads: Number(process.env.BENCH_THREADS ?? availableParallelism()) });
}

async function train(data: InterestData, run: Run, noisyTexts: readonly Float32Array[] = []): Promise<Trained & { ndcg: number; epoch: number }> {
  const kernels = await openKernels();
  let best: { ndcg: number; epoch: number; gains: readonly Sample[] } = { ndcg: -1, epoch: 0, gains: [] };
  let tensors: InterestCheckpoint['tensors'] = new Map();
  await trainInterest(data, kernels, run.options, {
    extendSteps: (network) => extension(network, kernels, run),
    distort: distortionOf(run.options, noisyTexts, data.textDimensions),
    onEpoch: ({ ndcg, epoch }, gains) => {
      if (gains && ndcg !== null && ndcg > best.ndcg) best = { ndcg, epoch, gains };
    },
    saveCheckpoint: (checkpoint) => {
      ({ tensors } = checkpoint);
      return Promise.resolve();
    },
  });
  await kernels.close();
  const parameters = new Map([...tensors].flatMap(([name, values]) => (name.endsWith('.best') ? [[name.slice(0, -'.best'.length), values] as const] : [])));
  return { ...best, parameters };
}

function extension(network: InterestNetwork, kernels: TrainingKernels, { contrastive, adversarial }: Pick<Run, 'contrastive' | 'adversarial'>): StepExtension {
  const pulled = contrastive && new Contrastive(network, kernels, contrastive);
  const perturbed = adversarial && new Adversarial(network, kernels, adversarial);
  return { onUsers: (step) => void pulled?.learn(step), onEvents: (step) => void perturbed?.learn(step) };
}

/** What the options say of it, as training takes it. */
export function distortionOf({ distortion, titleNoise }: RunOptions, noisyTexts: readonly Float32Array[], textDimensions: number): Distortion {
  return {
    ...(titleNoise > 0 && { texts: (vectors, random) => replaceVectors(vectors, noisyTexts, textDimensions, titleNoise, random) }),
    stream: (stream, random) => distortStream(stream, random, distortion),
    ...(distortion.mask > 0 && { chunk: hideMasked }),
  };
}

/** What a pretraining ends with, or what it did before; `share` is that of the shoppers that `data` names. */
async function pretrained({ name, shop }: RunData, pretraining: BenchPretraining, { data, options, share }: Pick<RunData, 'data' | 'options'> & { readonly share: number }): Promise<ReadonlyMap<string, Float32Array>> {
  const from = JSON.stringify({ options, pretraining, ...(share < 1 && { share }) });
  const bytes = await cached(`helps-${name}-pretraining`, [fingerprintOf(shop, [from])], async () => {
    const started = performance.now();
    const kernels = await openKernels();
    const { start, losses } = await pretrain(data, kernels, options, pretraining);
    await kernels.close();
    console.log(`${name}, pretraining by ${pretrainingName(pretraining.kind)}${share < 1 ? ` on ${100 * share} % of the shoppers` : ''}: loss ${losses[0]!.toFixed(3)} to ${losses.at(-1)!.toFixed(3)}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
    return toBytes(start);
  });
  return fromBytes(bytes);
}

/** A share of the shoppers who have something to learn from; a smaller share is part of a larger one. */
function drawShoppers({ users, offsets }: Histories, share: number): Int32Array {
  const known = Int32Array.from({ length: users }, (_, user) => user).filter((user) => offsets[user + 1]! > offsets[user]!);
  return createRandom(SHARE_SEED).shuffle(known).slice(0, Math.max(1, Math.round(share * known.length)));
}

function toBytes(tensors: Iterable<readonly [string, Float32Array]>): Uint8Array {
  return writeSafetensors(Array.from(tensors, ([name, values]) => [name, { dtype: 'F32', shape: [values.length], values }] as const));
}

function fromBytes(bytes: Uint8Array): Map<string, Float32Array> {
  return new Map([...parseSafetensors(bytes)].map(([name, { values }]) => [name, values as Float32Array]));
}
