import { readShop, type TrainingShop } from '../src/cli/train/read-shop.ts';
import { interestData } from '../src/cli/train/interest-stage.ts';
import { openEncoder } from '../src/cli/encoder.ts';
import { estimate, type Sample } from '../src/evaluate/bootstrap.ts';
import { InterestNetwork } from '../src/learn/interest-network.ts';
import { validateInterest } from '../src/learn/interest-validation.ts';
import { createRandom } from '../src/lib/random.ts';
import type { Bench, BenchTableCell } from './harness.ts';
import { DATA_SETS, type HelpsData } from './helps/data-sets.ts';
import { formatHelps, writeHelps, type HelpsRow } from './helps/format-helps.ts';
import { METHODS, percent, plainRun, SHARES } from './helps/methods.ts';
import { openKernels, trainRun, type RunData, type Trained } from './helps/run.ts';
import { distortTitle, synonymsByVector, type TitleNoiseOptions } from './helps/title-noise.ts';
import { hasPublicData, publicFile } from './public-data.ts';
import { cached } from './text-vectors.ts';

const ENCODER = 'models/encoder-en';
const ENSEMBLE_MEGABYTES = 2_048;
const SEEDS = [1, 2, 3];
const NOISE: TitleNoiseOptions = { typos: 0.2, drop: 0.1, synonyms: 0.2 };
const NOISY_TITLES = 4; // of each item

/**
 * What helps the interest model: each method alone, and an ensemble of three seeds, beside the plain training on the same questions of
 * the validation part (the test is not looked at, so that it can still judge what was kept). Trainings that are finished are taken from the cache
 * of benches, so that one that was stopped goes on. `BENCH_DATA` names one data set, `BENCH_THREADS` sets the threads; writes bench/HELPS.md.
 */
export const helps: Bench = async () => {
  const rows: HelpsRow[] = [];
  for (const dataSet of DATA_SETS.filter(({ name }) => (process.env.BENCH_DATA ?? name) === name)) {
    if (!hasPublicData(dataSet.name)) {
      console.log(`Skipped: ${dataSet.name} is not there.`);
      continue;
    }
    for await (const row of tryAll(dataSet)) {
      rows.push(row);
      if (process.env.BENCH_DATA === undefined) await writeHelps(rows); // at once, so that a bench that is stopped leaves what it has measured
    }
    console.log(`\n${formatHelps(rows)}\n`);
  }
  return { rows: [], tables: rows.flatMap(cellsOf) };
};

/** Each method's row, share by share behind the plain training's. */
async function* tryAll(dataSet: HelpsData): AsyncGenerator<HelpsRow, void> {
  const { name, protocol, options, hasTitles } = dataSet;
  const files = { interactions: publicFile(name, 'interactions'), items: publicFile(name, 'items') };
  const shop = await readShop({ ...files, protocol, ...(hasTitles ? { encoder: ENCODER } : { without: ['text'] }) }, console.log);
  const from: RunData = { name, shop, data: interestData(shop, hasTitles), options: { ...options, seed: SEEDS[0]! } };
  for (const share of SHARES) {
    const of = share === 1 ? '' : `, ${percent(share)} of the shoppers`;
    const seeds: Trained[] = [];
    for (const seed of SEEDS) seeds.push(await trainRun(`plain${of}, seed ${seed}`, from, plainRun(dataSet, share, seed)));
    const base = meanGains(seeds.map(({ gains }) => gains));
    const figures = { seeds: seeds.map(({ gains }) => meanOf(gains)), ...(share === 1 && { bytes: bytesOf(seeds[0]!) }) };
    yield { data: name, method: `plain${of}`, figure: estimate(base), gain: null, ...figures };
    const rowOf = (method: string, gains: readonly Sample[]): HelpsRow => {
      const differences = gains.map(({ customer, value }, question) => ({ customer, value: value - base[question]!.value }));
      return { data: name, method, figure: estimate(gains), gain: estimate(differences) };
    };
    if (share === 1) yield rowOf(`ensemble of ${SEEDS.length} seeds, ${SEEDS.length} times the bytes`, await ensemble(from, seeds));
    for (const method of METHODS.filter((one) => one.share === share && (hasTitles || one.needsTitles !== true))) {
      const own = method.needsTitles === true ? { ...from, noisyTexts: await noisyVectors(shop) } : from;
      yield rowOf(method.name, (await trainRun(method.name, own, method.change(plainRun(dataSet, share, SEEDS[0]!), dataSet))).gains);
    }
  }
}

async function ensemble({ data, options }: RunData, seeds: readonly Trained[]): Promise<Sample[]> {
  const kernels = await openKernels(ENSEMBLE_MEGABYTES);
  const networks = seeds.map(({ parameters }) => {
    const { model, embedding, hidden, cosine, lanes, steps, loss } = options;
    const shape = { model, items: data.training.items, text: data.textDimensions, embedding, hidden, cosine, lanes, steps };
    const network = new InterestNetwork(shape, { ...data, itemCounts: new Float32Array(data.training.items).fill(1) }, loss, kernels, createRandom(1));
    for (const [name, { values }] of network.parameters) values.set(parameters.get(name)!);
    return network;
  });
  const gains = validateInterest(networks, data);
  await kernels.close();
  return gains;
}

/** Vectors of distorted titles, several of each item; synonyms are the catalogue's own words that the encoder finds near. */
async function noisyVectors({ shop: { titles }, encoderRevision }: TrainingShop): Promise<Float32Array[]> {
  const bytes = await cached('helps-noisy-titles', [encoderRevision, JSON.stringify({ NOISE, NOISY_TITLES }), ...titles], async () => {
    const { encoder, device } = await openEncoder(ENCODER);
    const words = [...new Set(titles.flatMap((title) => title.toLowerCase().split(/\s+/)))].filter((word) => word !== '');
    const synonymsOf = synonymsByVector(words, await encoder.encode(words), encoder.dimensions);
    const random = createRandom(1);
    const noisy = Array.from({ length: NOISY_TITLES }, () => titles.map((title) => distortTitle(title, random, NOISE, synonymsOf))).flat();
    const vectors = await encoder.encode(noisy);
    encoder.dispose();
    device.dispose();
    return new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  });
  const length = bytes.byteLength / 4 / NOISY_TITLES;
  return Array.from({ length: NOISY_TITLES }, (_, variant) => new Float32Array(bytes.buffer, 4 * variant * length, length));
}

/** Each question's mean over the trainings. */
function meanGains(trainings: readonly (readonly Sample[])[]): Sample[] {
  return trainings[0]!.map(({ customer }, question) => ({ customer, value: trainings.reduce((sum, gains) => sum + gains[question]!.value, 0) / trainings.length }));
}

const bytesOf = ({ parameters }: Trained): number => [...parameters.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);

function meanOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
}

function cellsOf({ data, method, figure, gain }: HelpsRow): BenchTableCell[] {
  const cell = { task: `${data}, validation`, ranker: method };
  return [{ ...cell, metric: 'ndcg@10', ...figure }, ...(gain ? [{ ...cell, metric: 'gain', ...gain }] : [])];
}
