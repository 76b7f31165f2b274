import { estimate, type Sample } from '../src/evaluate/bootstrap.ts';
import { openEncoder } from '../src/cli/encoder.ts';
import { PRESETS } from '../src/cli/presets.ts';
import { interestData } from '../src/cli/train/interest-stage.ts';
import { readShop, type TrainingShop } from '../src/cli/train/read-shop.ts';
import { openTrainingKernels } from '../src/compute/open-training-kernels.ts';
import { InterestNetwork } from '../src/learn/interest-network.ts';
import { trainInterest, type InterestCheckpoint, type InterestData, type InterestTrainingOptions } from '../src/learn/interest-training.ts';
import { validateInterest } from '../src/learn/interest-validation.ts';
import type { Protocol } from '../src/learn/protocol.ts';
import { NO_DISTORTION } from '../src/learn/stream-distortion.ts';
import { distortTitle, synonymsByVector, type TitleNoiseOptions } from '../src/learn/title-noise.ts';
import { createRandom } from '../src/lib/random.ts';
import { summarise, type Bench, type BenchRow, type BenchTableCell } from './harness.ts';
import { hasPublicData, publicFile } from './public-data.ts';

interface DataSet {
  readonly name: string;
  readonly protocol: Protocol;
  readonly options: InterestTrainingOptions;
  readonly hasTitles: boolean;
}

const ENCODER = 'models/encoder-en';
const KERNEL_MEGABYTES = 1_024;

const plain = (preset: InterestTrainingOptions, maxEpochs: number): InterestTrainingOptions => ({ ...preset, maxEpochs, patience: 3, refitEpochs: 0 });

const DATA_SETS: readonly DataSet[] = [
  { name: 'rsc15_100k', protocol: 'session', options: plain(PRESETS.session.interest, 10), hasTitles: false },
  { name: 'movielens_100k', protocol: 'leave-one-out', options: plain({ ...PRESETS.long.interest, embedding: 64, hidden: 64 }, 20), hasTitles: true },
  { name: 'amazon_beauty_2014', protocol: 'leave-one-out', options: plain(PRESETS.sparse.interest, 16), hasTitles: false },
];

/** What is tried, each alone. */
const VARIANTS: readonly { readonly name: string; readonly change: (options: InterestTrainingOptions) => InterestTrainingOptions; readonly needsTitles?: boolean }[] = [
  { name: 'crop half of the streams to .6', change: (options) => ({ ...options, distortion: { ...NO_DISTORTION, crop: 0.5 } }) },
  { name: 'mask .15 of the events', change: (options) => ({ ...options, distortion: { ...NO_DISTORTION, mask: 0.15 } }) },
  { name: 'reorder .3 of half of the streams', change: (options) => ({ ...options, distortion: { ...NO_DISTORTION, reorder: 0.5 } }) },
  { name: 'cosines instead of products', change: (options) => ({ ...options, cosine: options.cosine > 0 ? 0 : 16 }) },
  { name: 'title noise in .3 of the items', change: (options) => ({ ...options, titleNoise: 0.3 }), needsTitles: true },
];

const SEEDS = [1, 2, 3];
const NOISE: TitleNoiseOptions = { typos: 0.2, drop: 0.1, synonyms: 0.2 };
const NOISY_TITLES = 4; // of each item

interface Trained {
  /** Of the best epoch. */
  readonly gains: readonly Sample[];
  readonly best: InterestCheckpoint['tensors'];
  readonly seconds: number;
}

/**
 * What helps the interest model: each distortion alone, and an ensemble of three seeds, beside the plain training on the same questions of
 * the validation part (the test is not looked at, so that it can still judge what was kept). `BENCH_DATA` names one data set.
 */
export const helps: Bench = async () => {
  const rows: BenchRow[] = [];
  const tables: BenchTableCell[] = [];
  for (const dataSet of DATA_SETS.filter(({ name }) => (process.env.BENCH_DATA ?? name) === name)) {
    const { name, protocol, options, hasTitles } = dataSet;
    if (!hasPublicData(name)) {
      console.log(`Skipped: ${name} is not there.`);
      continue;
    }
    const files = { interactions: publicFile(name, 'interactions'), items: publicFile(name, 'items') };
    const shop = await readShop({ ...files, protocol, ...(hasTitles ? { encoder: ENCODER } : { without: ['text'] }) }, console.log);
    const data = { ...interestData(shop, hasTitles), ...(hasTitles && { noisyTextVectors: await noisyVectors(shop) }) };
    const task = `${name}, validation`;
    const compare = (ranker: string, gains: readonly Sample[], base: readonly Sample[]): void => {
      tables.push({ task, ranker, metric: 'ndcg@10', ...estimate(gains) });
      if (gains === base) return;
      const difference = estimate(gains.map(({ customer, value }, question) => ({ customer, value: value - base[question]!.value })));
      tables.push({ task, ranker, metric: 'gain', ...difference });
      rows.push(summarise({ name: `${name}: ${ranker}`, unit: '', ours: [meanOf(gains)], peer: [meanOf(base)], bound: 'least' }));
    };
    const seeds: Trained[] = [];
    for (const seed of SEEDS) seeds.push(await train(`${name}, plain, seed ${seed}`, data, { ...options, seed }));
    const base = seeds[0]!.gains;
    compare('plain', base, base);
    for (const { name: variant, change, needsTitles = false } of VARIANTS) {
      if (needsTitles && !hasTitles) continue;
      const { gains } = await train(`${name}, ${variant}`, data, change({ ...options, seed: SEEDS[0]! }));
      compare(variant, gains, base);
    }
    const parameters = [...seeds[0]!.best].filter(([tensor]) => tensor.endsWith('.best')).reduce((sum, [, values]) => sum + values.length, 0);
    compare(`ensemble of ${SEEDS.length} seeds, ${((4 * SEEDS.length * parameters) / 1e6).toFixed(1)} MB of float32 for ${((4 * parameters) / 1e6).toFixed(1)}`, await ensemble(data, options, seeds), base);
  }
  return { rows, tables };
};

async function train(label: string, data: InterestData, options: InterestTrainingOptions): Promise<Trained> {
  const kernels = await openTrainingKernels({ maxBytes: KERNEL_MEGABYTES * 2 ** 20 });
  const started = performance.now();
  let best: { ndcg: number; gains: readonly Sample[] } = { ndcg: -1, gains: [] };
  let tensors: InterestCheckpoint['tensors'] = new Map();
  await trainInterest(data, kernels, options, {
    onEpoch: ({ ndcg }, gains) => {
      if (gains && ndcg !== null && ndcg > best.ndcg) best = { ndcg, gains };
    },
    saveCheckpoint: (checkpoint) => {
      ({ tensors } = checkpoint);
      return Promise.resolve();
    },
  });
  await kernels.close();
  const seconds = (performance.now() - started) / 1000;
  console.log(`${label}: NDCG@10 ${best.ndcg.toFixed(4)} after ${seconds.toFixed(0)} s`);
  return { gains: best.gains, best: tensors, seconds };
}

async function ensemble(data: InterestData, options: InterestTrainingOptions, seeds: readonly Trained[]): Promise<Sample[]> {
  const kernels = await openTrainingKernels({ maxBytes: 2 * KERNEL_MEGABYTES * 2 ** 20 });
  const networks = seeds.map(({ best }) => {
    const { model, embedding, hidden, cosine, lanes, steps, loss } = options;
    const shape = { model, items: data.training.items, text: data.textDimensions, embedding, hidden, cosine, lanes, steps };
    const network = new InterestNetwork(shape, { ...data, itemCounts: new Float32Array(data.training.items).fill(1) }, loss, kernels, createRandom(1));
    for (const [name, { values }] of network.parameters) values.set(best.get(`${name}.best`)!);
    return network;
  });
  const gains = validateInterest(networks, data);
  await kernels.close();
  return gains;
}

/** Vectors of distorted titles, several of each item; synonyms are the catalogue's own words that the encoder finds near. */
async function noisyVectors({ shop }: TrainingShop): Promise<Float32Array[]> {
  const { encoder, device } = await openEncoder(ENCODER);
  const words = [...new Set(shop.titles.flatMap((title) => title.toLowerCase().split(/\s+/)))].filter((word) => word !== '');
  const synonymsOf = synonymsByVector(words, await encoder.encode(words), encoder.dimensions);
  const random = createRandom(1);
  const variants: Float32Array[] = [];
  for (let variant = 0; variant < NOISY_TITLES; variant++) variants.push(await encoder.encode(shop.titles.map((title) => distortTitle(title, random, NOISE, synonymsOf))));
  encoder.dispose();
  device.dispose();
  return variants;
}

function meanOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
}
