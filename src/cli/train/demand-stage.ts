import type { Device } from '../../compute/device.ts';
import type { TrainingKernels } from '../../compute/training-kernels.ts';
import { RecommenderError } from '../../errors.ts';
import type { DemandEpoch } from '../../learn/demand-training.ts';
import { trainShopDemand } from '../../learn/recommender-training.ts';
import type { FloatTensors } from '../../learn/write-recommender.ts';
import { parseSafetensors, writeSafetensors } from '../../lib/safetensors.ts';
import type { Progress } from '../progress.ts';
import type { TrainingShop } from './read-shop.ts';
import { asFloats, fingerprintOf, readStage, readStageJson, writeStage, type StageFolders } from './stage-files.ts';

export interface DemandStage {
  readonly tuned: FloatTensors;
  readonly shipped: FloatTensors;
  readonly epochs: readonly DemandEpoch[];
}

export interface DemandStageOptions {
  readonly seed: number;
  readonly folders: StageFolders;
  readonly kernels: TrainingKernels;
  readonly device: Device;
  readonly progress: Progress;
}

/** Trains the demand LSTM, or takes it from an earlier training; null where the log's days are no shop's, or too few. */
export async function demandStage(data: TrainingShop, { seed, folders, kernels, device, progress: { say } }: DemandStageOptions): Promise<DemandStage | null> {
  const { shop, protocol, period } = data;
  if (protocol !== 'temporal' || !period) {
    say(`demand LSTM: left out, since the log is divided by ${protocol === 'session' ? 'sessions' : 'shoppers'}, not by days`);
    return null;
  }
  const nameOf = (label: string): string => `demand-${label}-${fingerprintOf(data, [period.from, period.until, seed])}`;
  const train = async (label: string, end: number): Promise<FloatTensors> => {
    const file = nameOf(label);
    const done = await readStage(folders, `${file}.safetensors`);
    if (done) return asFloats(parseSafetensors(done));
    const { tensors, report } = await trainShopDemand(shop, end, kernels, device, seed);
    kernels.release();
    say(`demand LSTM (${label}): ${report.bestEpoch} epochs, pinball loss of the held-out weeks ${report.holdOutLoss.toFixed(4)}`);
    await writeStage(folders, `${file}.epochs.json`, report.epochs);
    await writeStage(folders, `${file}.safetensors`, writeSafetensors([...tensors].map(([name, { shape, values }]) => [name, { dtype: 'F32', shape, values }] as const)));
    return tensors;
  };
  try {
    const [tuned, shipped] = [await train('tuned', period.from), await train('shipped', period.until)];
    const epochs = (await readStageJson<DemandEpoch[]>({ ...folders, resume: true }, `${nameOf('shipped')}.epochs.json`)) ?? [];
    return { tuned, shipped, epochs };
  } catch (error) {
    if (!(error instanceof RecommenderError) || error.code !== 'INVALID_DATA') throw error;
    say('demand LSTM: left out, since no item has six weeks of sales before the validation days');
    return null;
  }
}
