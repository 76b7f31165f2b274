import { readShop, type TrainingShop } from '../src/cli/train/read-shop.ts';
import { interestData } from '../src/cli/train/interest-stage.ts';
import { openEncoder } from '../src/cli/encoder.ts';
import { estimate, type Sample } from '../src/evaluate/bootstrap.ts';
import { InterestNetwork } from '../src/learn/interest-network.ts';
import { validateInterest } from '../src/learn/interest-validation.ts';
import { distortTitle, synonymsByVector, type TitleNoiseOptions } from '../src/learn/title-noise.ts';
import { createRandom } from '../src/lib/random.ts';
import type { Bench, BenchTableCell } from './harness.ts';
import { DATA_SETS, type HelpsData } from './helps/data-sets.ts';
import { formatHelps, writeHelps, type HelpsRow } from './helps/format-helps.ts';
import { METHODS, percent, plainRun, SHARES } from './helps/methods.ts';
import { openKernels, trainRun, type RunData, type Trained } from './helps/run.ts';
import { hasPublicData, publicFile } from './public-data.ts';

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
    rows.push(...(await tryAll(dataSet)));
    console.log(`\n${formatHelps(rows)}\n`);
    if (process.env.BENCH_DATA === undefined) await writeHelps(rows);
  }
  return { rows: [], tables: rows.flatMap(cellsOf) };
};

async function tryAll(dataSet: HelpsData): Promise<HelpsRow[]> {
  const { name, protocol, options, hasTitles } = dataSet;
  const files = { interactions: publicFile(name, 'interactions'), items: publicFile(name, 'items') };
  const shop = await readShop({ ...files, protocol, ...(hasTitles ? { encoder: ENCODER } : { without: ['text'] }) }, console.log);
  const data = { ...interestData(shop, hasTitles), ...(hasTitles && { noisyTextVectors: await noisyVectors(shop) }) };
  const from: RunData = { name, shop, data, options: { ...options, seed: SEEDS[0]! } };
  const rows: HelpsRow[] = [];
  for (const share of SHARES) {
    const of = share === 1 ? '' : `, ${percent(share)} of the shoppers`;
    const seeds: Trained[] = [];
    for (const seed of SEEDS) seeds.push(await trainRun(`plain${of}, seed ${seed}`, from, plainRun(dataSet, share, seed)));
    const base = meanGains(seeds.map(({ gains }) => gains));
    const figures = { seeds: seeds.map(({ gains }) => meanOf(gains)), ...(share === 1 && { bytes: bytesOf(seeds[0]!) }) };
    rows.push({ data: name, method: `plain${of}`, figure: estimate(base), gain: null, ...figures });
    const add = (method: string, gains: readonly Sample[]): void => {
      const differences = gains.map(({ customer, value }, question) => ({ customer, value: value - base[question]!.value }));
      rows.push({ data: name, method, figure: estimate(gains), gain: estimate(differences) });
    };
    for (const method of METHODS.filter((one) => one.share === share && (hasTitles || one.needsTitles !== true))) {
      add(method.name, (await trainRun(method.name, from, method.change(plainRun(dataSet, share, SEEDS[0]!), dataSet))).gains);
    }
    if (share === 1) add(`ensemble of ${SEEDS.length} seeds, ${SEEDS.length} times the bytes`, await ensemble(from, seeds));
  }
  return rows;
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
