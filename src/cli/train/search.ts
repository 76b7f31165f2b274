import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingKernels } from '../../compute/training-kernels.ts';
import { trainInterest, type InterestTrainingOptions } from '../../learn/interest-training.ts';
import type { ItemLossOptions } from '../../learn/losses.ts';
import { createRandom, type Random } from '../../lib/random.ts';
import type { Progress } from '../progress.ts';
import { interestData } from './interest-stage.ts';
import type { TrainingShop } from './read-shop.ts';
import { fingerprintOf, type StageFolders } from './stage-files.ts';

/** One tried setting, a line of search.jsonl. */
export interface Trial {
  /** 0 is the preset itself. */
  readonly trial: number;
  /** What differs from the preset. */
  readonly settings: SearchedSettings;
  /** The best epoch's on the validation part, after at most TRIAL_EPOCHS. */
  readonly ndcg: number;
  /** Of all that the trials share: lines of other data or presets are not read. */
  readonly of: string;
}

type SearchedSettings = Partial<Pick<InterestTrainingOptions, 'learningRate' | 'weightDecay' | 'embedding' | 'hidden' | 'cosine' | 'loss' | 'regularisation'>>;

export interface SearchOptions {
  /** How many settings are tried beside the preset. */
  readonly trials: number;
  readonly settings: InterestTrainingOptions;
  readonly useText: boolean;
  readonly folders: StageFolders;
  readonly kernels: TrainingKernels;
  readonly progress: Progress;
}

/** Enough to tell settings apart, a fraction of a training. */
export const TRIAL_EPOCHS = 4;

const FULL_SOFTMAX_ITEMS = 5_000; // above, a step over all items costs more than it teaches
const FILE = 'search.jsonl';

/**
 * Random search (Bergstra & Bengio 2012) over learning rate and weight decay (both log-uniform), dropouts, sizes, the scale of cosines and the
 * loss: each trial is drawn from seed and number alone, trains for a few epochs and leaves a line in search.jsonl, so that a search
 * that was stopped goes on where it was. @returns the best settings by validation NDCG@10, to train to the end with.
 */
export async function searchSettings(data: TrainingShop, { trials, settings, useText, folders, kernels, progress }: SearchOptions): Promise<InterestTrainingOptions> {
  const path = join(folders.working, FILE);
  const of = fingerprintOf(data, [JSON.stringify(settings), String(useText)]);
  if (!folders.resume) await rm(path, { force: true });
  const done = (await readTrials(path)).filter((trial) => trial.of === of);
  const material = interestData(data, useText);
  for (let trial = 0; trial <= trials; trial++) {
    if (done.some((one) => one.trial === trial)) continue;
    const drawn = trial === 0 ? {} : drawSettings(createRandom(settings.seed * 10_000 + trial), settings, data.shop.itemIds.length, useText);
    const short = { ...settings, ...drawn, maxEpochs: Math.min(settings.maxEpochs, TRIAL_EPOCHS), refitEpochs: 0 };
    const { history } = await trainInterest(material, kernels, short, {
      onProgress: ({ epoch, share, loss }) => progress.update({ label: `search, trial ${trial} of ${trials}`, share: (trial + (epoch - 1 + share) / TRIAL_EPOCHS) / (trials + 1), loss, metric: `epoch ${epoch}` }),
    });
    kernels.release();
    const ndcg = Math.max(...history.map((epoch) => epoch.ndcg ?? 0));
    const line: Trial = { trial, settings: drawn, ndcg, of };
    await appendFile(path, `${JSON.stringify(line)}\n`);
    done.push(line);
    progress.say(`search: trial ${trial}, validation NDCG@10 ${ndcg.toFixed(4)} ${JSON.stringify(drawn)}`);
  }
  progress.done();
  const best = done.filter(({ trial }) => trial <= trials).reduce((one, other) => (other.ndcg > one.ndcg || (other.ndcg === one.ndcg && other.trial < one.trial) ? other : one));
  progress.say(`search: trial ${best.trial} is best, validation NDCG@10 ${best.ndcg.toFixed(4)}; it trains to the end`);
  return { ...settings, ...best.settings };
}

/** One point of the space. */
function drawSettings(random: Random, { regularisation }: InterestTrainingOptions, items: number, useText: boolean): SearchedSettings {
  const pick = <Choice>(choices: readonly Choice[]): Choice => choices[random.integer(choices.length)]!;
  const logUniform = (low: number, high: number): number => Number((low * (high / low) ** random.next()).toPrecision(3));
  const uniform = (low: number, high: number): number => Number((low + (high - low) * random.next()).toFixed(2));
  const losses: ItemLossOptions[] = [
    ...(items <= FULL_SOFTMAX_ITEMS ? [{ kind: 'softmax' } as const] : []),
    { kind: 'sampled-softmax', negatives: pick([256, 1_024, 2_048]), sampler: pick(['uniform', 'popularity']) },
    { kind: 'gbce', negatives: pick([256, 1_024]), calibration: 0.75 },
  ];
  return {
    learningRate: logUniform(5e-4, 8e-3),
    weightDecay: logUniform(1e-4, 1e-1),
    embedding: pick([32, 64, 96, 128]),
    hidden: pick([64, 96, 128]),
    cosine: pick([0, 12, 16, 20]),
    loss: pick(losses),
    regularisation: { ...regularisation, inputDropout: uniform(0, 0.5), hiddenDropout: uniform(0, 0.6), residualDropout: useText ? pick([0, 0.1, 0.3]) : regularisation.residualDropout },
  };
}

/** Whole lines; what a kill cut short is tried again. */
async function readTrials(path: string): Promise<Trial[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Trial];
    } catch {
      return []; // a line that was cut and then written behind
    }
  });
}
