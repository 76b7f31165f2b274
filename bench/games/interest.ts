import { mkdir } from 'node:fs/promises';
import { PRESETS } from '../../src/cli/presets.ts';
import { createProgress } from '../../src/cli/progress.ts';
import { interestStage, type InterestStage } from '../../src/cli/train/interest-stage.ts';
import { openTrainingKernels } from '../../src/compute/open-training-kernels.ts';
import type { InterestTrainingOptions } from '../../src/learn/interest-training.ts';
import { gamesShop, type Games } from './data.ts';

const { regularisation } = PRESETS.sparse.interest;

/** The command line's preset for many shoppers with a few events each, narrower and with less dropout because titles are known. */
export const GAMES_TRAINING: InterestTrainingOptions = { ...PRESETS.sparse.interest, embedding: 96, hidden: 96, maxEpochs: 11, regularisation: { ...regularisation, inputDropout: 0.4, hiddenDropout: 0.4 } };

export interface GamesInterestOptions extends Partial<Pick<InterestTrainingOptions, 'maxEpochs' | 'refitEpochs'>> {
  /** Items of the shop's catalogue. Default: all. */
  readonly keep?: (item: number) => boolean;
}

export type GamesInterest = Pick<InterestStage, 'tuned' | 'shipped'>;

const WORKING = new URL('../../.cache/bench/amazon_games_2018/training', import.meta.url).pathname;

/** The interest LSTM of a shop of games without each user's last two items (`tuned`) and refitted without the last alone; kept between runs, and one that was stopped goes on from its last epoch. */
export async function gamesInterest(games: Games, { keep, ...changes }: GamesInterestOptions = {}): Promise<GamesInterest> {
  await mkdir(WORKING, { recursive: true });
  const kernels = await openTrainingKernels({ maxBytes: 2 ** 30, threads: 2 });
  const progress = createProgress(console.log);
  const data = { protocol: 'leave-one-out' as const, shop: gamesShop(games, 1, keep), learnt: gamesShop(games, 2, keep).log, encoderRevision: games.revision, period: null };
  const { tuned, shipped, interrupted } = await interestStage(data, { settings: { ...GAMES_TRAINING, ...changes }, useText: true, folders: { working: WORKING, resume: true }, kernels, progress, logEpoch: () => undefined });
  progress.done();
  await kernels.close();
  if (interrupted) throw new Error('The training on games was stopped; run the bench again to go on.');
  return { tuned, shipped };
}
