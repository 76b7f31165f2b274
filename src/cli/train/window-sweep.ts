import type { TrainingKernels } from '../../compute/training-kernels.ts';
import { RecommenderError } from '../../errors.ts';
import { trainInterest, type InterestTrainingOptions } from '../../learn/interest-training.ts';
import type { Progress } from '../progress.ts';
import type { WindowFigure } from '../report/report-data.ts';
import { interestData } from './interest-stage.ts';
import type { TrainingShop } from './read-shop.ts';
import { fingerprintOf, readStageJson, writeStage, type StageFolders } from './stage-files.ts';

export interface WindowSweepOptions {
  readonly settings: InterestTrainingOptions;
  readonly useText: boolean;
  readonly folders: StageFolders;
  readonly kernels: TrainingKernels;
  readonly progress: Progress;
}

/** Days before the validation part that are learnt; null is all. */
const WINDOWS = [7, 30, 90, null] as const;
const SWEEP_EPOCHS = 3;
const SECONDS_PER_DAY = 86_400;

/**
 * How much of the log is worth learning from: a short training for each window, all measured on the same validation part, whose
 * histories are read whole.
 * @throws RecommenderError `INVALID_OPTIONS` for a log without times.
 */
export async function sweepWindows(data: TrainingShop, { settings, useText, folders, kernels, progress }: WindowSweepOptions): Promise<WindowFigure[]> {
  const { period, learnt } = data;
  if (!period) throw new RecommenderError('INVALID_OPTIONS', '--windows compares days, and the log has positions for times; leave it out.');
  const short = { ...settings, maxEpochs: Math.min(settings.maxEpochs, SWEEP_EPOCHS), refitEpochs: 0 };
  const material = interestData(data, useText);
  const figures: WindowFigure[] = [];
  for (const days of WINDOWS) {
    const learnFrom = days === null ? -Infinity : period.from - days * SECONDS_PER_DAY;
    const lines = learnt.time.reduce((count, time) => count + (time >= learnFrom ? 1 : 0), 0);
    const file = `window-${days ?? 'all'}-${fingerprintOf(data, [JSON.stringify(short), period.from, String(useText)])}.json`;
    const kept = await readStageJson<WindowFigure>(folders, file);
    const figure = kept ?? { days, lines, ndcg: lines === 0 ? null : await trainWindow(learnFrom) };
    if (!kept) await writeStage(folders, file, figure);
    progress.say(`window of ${days ?? 'all'} days: ${lines} lines, validation NDCG@10 ${figure.ndcg?.toFixed(4) ?? '-'}`);
    figures.push(figure);
  }
  progress.done();
  return figures;

  async function trainWindow(learnFrom: number): Promise<number> {
    const { history } = await trainInterest({ ...material, learnFrom }, kernels, short, {
      onProgress: ({ epoch, share, loss }) => progress.update({ label: 'windows', share: (figures.length + (epoch - 1 + share) / SWEEP_EPOCHS) / WINDOWS.length, loss, metric: `epoch ${epoch}` }),
    });
    kernels.release();
    return Math.max(...history.map(({ ndcg }) => ndcg ?? 0));
  }
}
