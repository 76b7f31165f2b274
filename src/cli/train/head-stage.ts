import type { Device } from '../../compute/device.ts';
import type { TrainingKernels } from '../../compute/training-kernels.ts';
import { DEFAULT_HEAD_TRAINING, type TrainedHead } from '../../learn/head-training.ts';
import { featureNames, trainShopHead, type Part, type TableOptions } from '../../learn/recommender-training.ts';
import type { FloatTensors } from '../../learn/write-recommender.ts';
import { parseSafetensors, writeSafetensors } from '../../lib/safetensors.ts';
import type { SequenceKind } from '../../packs/sequence-kinds.ts';
import { FEATURE_SCHEMA } from '../../rank/feature-schema.ts';
import type { Progress } from '../progress.ts';
import { evaluateHeldOut } from '../report/held-out.ts';
import type { Evaluation } from '../report/report-data.ts';
import type { DemandStage } from './demand-stage.ts';
import type { InterestStage } from './interest-stage.ts';
import type { TrainingShop } from './read-shop.ts';
import { fingerprintOf, readStage, readStageJson, writeStage, type StageFolders } from './stage-files.ts';

export interface HeadStage {
  readonly tensors: FloatTensors;
  readonly history: TrainedHead['history'];
  readonly evaluation: Evaluation | null;
}

export interface HeadStageOptions {
  readonly interest: InterestStage | null;
  readonly demand: DemandStage | null;
  readonly dimensions: { readonly embedding: number; readonly hidden: number; readonly model: SequenceKind };
  readonly without: readonly Part[];
  readonly tables: TableOptions;
  readonly seed: number;
  readonly folders: StageFolders;
  readonly kernels: TrainingKernels;
  readonly device: Device;
  readonly progress: Progress;
}

/** Trains the joint head on the validation part and measures it on the shoppers held out of that, or takes both from an earlier training. */
export async function headStage(data: TrainingShop, options: HeadStageOptions): Promise<HeadStage> {
  const { interest, demand, dimensions, without, tables, seed, folders, kernels, device, progress } = options;
  const { say } = progress;
  const { shop, protocol, learnt } = data;
  const training = { ...DEFAULT_HEAD_TRAINING, seed };
  const inputs = [...(interest ? interest.tuned.values() : []), ...(demand ? demand.tuned.values() : [])].map(({ values }) => checksum(values));
  const file = `head-${fingerprintOf(data, [JSON.stringify(training), FEATURE_SCHEMA.version, featureNames(without, tables).join(), tables.shipSessions, ...inputs])}`;
  const done = await readStage(folders, `${file}.safetensors`);
  const kept = await readStageJson<Pick<HeadStage, 'history' | 'evaluation'>>(folders, `${file}.json`);
  if (done && kept) {
    say(`head: taken from an earlier training (${file})`);
    return { tensors: floats(done), ...kept };
  }
  const started = Date.now();
  const head = await trainShopHead(shop, { interest: interest?.tuned ?? null, demand: demand?.tuned ?? null, ...dimensions }, kernels, device, {
    protocol,
    learnt,
    without,
    tables,
    training,
    onProgress: (share) => progress.update({ label: 'head: questions', share, loss: 0, metric: 'not trained yet' }),
  });
  progress.done();
  for (const { epoch, loss, ndcg } of head.history) say(`head: epoch ${epoch}, loss ${loss.toFixed(4)}, NDCG@10 of held-out shoppers' lists ${ndcg.toFixed(4)}`);
  say(`head: ${((Date.now() - started) / 1_000).toFixed(0)} s with its questions`);
  const lines = new Float32Array(shop.itemIds.length);
  for (const item of learnt.item) lines[item]!++;
  const evaluation = evaluateHeldOut(head.heldOut, { protocol, items: shop.itemIds.length, features: featureNames(without, tables), lines });
  const bytes = writeSafetensors([...head.tensors].map(([name, { shape, values }]) => [name, { dtype: 'F32', shape, values }] as const));
  if (interest?.interrupted !== true) {
    await writeStage(folders, `${file}.json`, { history: head.history, evaluation });
    await writeStage(folders, `${file}.safetensors`, bytes);
  }
  return { tensors: floats(bytes), history: head.history, evaluation };
}

function floats(bytes: Uint8Array): FloatTensors {
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const [name, tensor] of parseSafetensors(bytes)) if (tensor.dtype === 'F32') tensors.set(name, tensor);
  return tensors;
}

/** Tells two trainings' weights apart. */
function checksum(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]! * (1 + (at % 97));
  return sum;
}
