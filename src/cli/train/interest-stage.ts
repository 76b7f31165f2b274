import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingKernels } from '../../compute/training-kernels.ts';
import { RecommenderError } from '../../errors.ts';
import type { ContinuedLoss } from '../../learn/continued-interest.ts';
import { groupByUser } from '../../learn/histories.ts';
import { trainInterest, type InterestData, type InterestEpoch, type InterestHooks, type InterestTrainingOptions, type TrainedInterest } from '../../learn/interest-training.ts';
import { pretrain } from '../../learn/pretraining.ts';
import { pretrainingName, type Pretrained, type PretrainingOptions } from '../../learn/pretraining-kinds.ts';
import { QUESTIONS } from '../../learn/protocol.ts';
import { packInterest } from '../../learn/write-recommender.ts';
import { parseSafetensors, type SafeTensors } from '../../lib/safetensors.ts';
import { readCheckpoint, writeCheckpoint } from '../checkpoint.ts';
import type { Progress } from '../progress.ts';
import { continuedData, type EarlierPack } from './earlier-pack.ts';
import type { TrainingShop } from './read-shop.ts';
import { fingerprintOf, readStage, readStageJson, writeStage, type StageFolders } from './stage-files.ts';

export interface InterestStage {
  readonly tuned: SafeTensors;
  readonly shipped: SafeTensors;
  readonly measured: Readonly<Record<string, number>>;
  /** None where the stage was taken from a training that kept none. */
  readonly epochs: readonly InterestEpoch[];
  readonly interrupted: boolean;
  /** Mean loss of each epoch before the training; none without a pretraining. */
  readonly pretrainingLosses: readonly number[];
  /** Numbers that were trained; null where the stage was taken from another training. */
  readonly trained: number | null;
  /** Losses before and after, where the training went on from a pack. */
  readonly continued: ContinuedLoss | null;
}

export interface InterestStageOptions {
  readonly settings: InterestTrainingOptions;
  /** What is learnt before. Default: nothing. */
  readonly pretraining?: PretrainingOptions | undefined;
  readonly useText: boolean;
  readonly folders: StageFolders;
  readonly kernels: TrainingKernels;
  readonly progress: Progress;
  /** The pack to go on from. */
  readonly earlier?: EarlierPack | undefined;
  readonly logEpoch: (epochs: readonly InterestEpoch[]) => void;
}

/** What the interest model is trained on. */
export function interestData({ protocol, shop, learnt }: TrainingShop, useText: boolean): InterestData {
  const repeats = !QUESTIONS[protocol].leavesOut;
  return {
    protocol,
    training: groupByUser(learnt, { repeats }),
    refit: groupByUser(shop.log, { repeats }),
    textVectors: useText ? shop.textVectors : new Float32Array(0),
    textDimensions: useText ? shop.textDimensions : 0,
    priceQuantiles: shop.priceQuantiles,
    itemPrices: shop.itemPrices,
  };
}

/**
 * Trains the interest model, or takes it from an earlier training; Ctrl-C ends the training with the best epoch so far.
 * @throws RecommenderError `ABORTED` for a Ctrl-C before the first whole epoch.
 */
export async function interestStage(data: TrainingShop, { settings, pretraining, useText, folders, kernels, progress, earlier, logEpoch }: InterestStageOptions): Promise<InterestStage> {
  const { say } = progress;
  const file = `interest${useText ? '' : '-without-text'}-${fingerprintOf(data, [JSON.stringify(settings), ...(pretraining ? [JSON.stringify(pretraining)] : []), ...(earlier ? [earlier.manifest.revision] : [])])}`;
  const [done, shippedDone, figures] = [await readStage(folders, `${file}.tuned.safetensors`), await readStage(folders, `${file}.shipped.safetensors`), await readStageJson<Record<string, number>>(folders, `${file}.json`)];
  if (done && shippedDone && figures) {
    say(`interest LSTM: taken from an earlier training (${file})`);
    const epochs = (await readStageJson<InterestEpoch[]>(folders, `${file}.epochs.json`)) ?? [];
    const pretrainingLosses = (await readStageJson<number[]>(folders, `${file}.pretraining.json`)) ?? [];
    return { tuned: parseSafetensors(done), shipped: parseSafetensors(shippedDone), measured: figures, epochs, pretrainingLosses, interrupted: false, trained: null, continued: null };
  }
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new RecommenderError('ABORTED', 'No epoch was whole, so nothing was kept.'));
  process.once('SIGINT', interrupt); // once: a second Ctrl-C ends the process
  const checkpoint = join(folders.working, `${file}.checkpoint.safetensors`);
  if (!folders.resume) await rm(checkpoint, { force: true });
  const resumeFrom = await readCheckpoint(checkpoint);
  const epochs: InterestEpoch[] = resumeFrom ? [...resumeFrom.history] : [];
  const hooks: InterestHooks = {
    signal: stop.signal,
    resumeFrom,
    saveCheckpoint: (state) => writeCheckpoint(checkpoint, state),
    onProgress: ({ phase, epoch, share, loss }) => {
      const before = phase === 'refit' ? settings.maxEpochs : 0;
      const best = Math.max(...epochs.map(({ ndcg }) => ndcg ?? 0));
      progress.update({
        label: `interest LSTM, ${phase === 'refit' ? 'refit ' : ''}epoch ${epoch}`,
        share: (before + epoch - 1 + share) / (settings.maxEpochs + settings.refitEpochs),
        loss,
        metric: epochs.length === 0 ? 'not validated yet' : `best NDCG@10 ${best.toFixed(4)}`,
      });
    },
    onEpoch: (record) => {
      const { epoch, loss, ndcg, seconds } = record;
      epochs.push(record);
      logEpoch(epochs);
      say(`interest LSTM: epoch ${epoch}, loss ${loss.toFixed(4)}${ndcg === null ? ' (refit)' : `, validation NDCG@10 ${ndcg.toFixed(4)}`}, ${seconds.toFixed(0)} s`);
    },
  };
  const plain = earlier ? continuedData(earlier, data, interestData(data, useText)) : interestData(data, useText);
  // A checkpoint has what the pretraining left in it; its losses are for the report.
  const pretrained = pretraining && !resumeFrom ? await pretrainAloud(plain, kernels, settings, pretraining, { progress, signal: stop.signal }) : null;
  if (pretrained) await writeStage(folders, `${file}.pretraining.json`, pretrained.losses);
  const pretrainingLosses = pretrained?.losses ?? (await readStageJson<number[]>(folders, `${file}.pretraining.json`)) ?? [];
  const material: InterestData = { ...plain, ...(pretrained && { start: pretrained.start }) };
  const { trained, interrupted } = await trainInterest(material, kernels, settings, hooks).then(
    (whole) => ({ trained: whole, interrupted: false }),
    async (error: unknown) => {
      const kept = stop.signal.aborted ? await readCheckpoint(checkpoint) : undefined;
      if (!kept) throw error;
      kernels.release();
      const ended = kept.phase === 'train' ? { maxEpochs: kept.epoch, refitEpochs: 0 } : { refitEpochs: kept.epoch };
      return { trained: await trainInterest(material, kernels, { ...settings, ...ended }, { resumeFrom: kept }), interrupted: true };
    },
  );
  process.off('SIGINT', interrupt);
  progress.done();
  const best = Math.max(...trained.history.map(({ ndcg }) => ndcg ?? 0));
  const { orders } = trained;
  if (orders) say(`interest LSTM: days until the next purchase are off by ${orders.model.toFixed(1)} in the mean of ${orders.questions}; the median gap by ${orders.median.toFixed(1)}, each shopper’s own by ${orders.ownMedian.toFixed(1)}`);
  const measured = {
    'interest.validationNdcg@10': best,
    'interest.epochs': trained.history.length,
    ...(orders && { 'interest.daysToPurchaseMae': orders.model, 'interest.medianGapMae': orders.median, 'interest.ownMedianGapMae': orders.ownMedian }),
  };
  const tuned = packInterest(withProjection(trained.tuned, data.shop.textDimensions));
  const shipped = packInterest(withProjection(trained.shipped, data.shop.textDimensions));
  if (interrupted) {
    say(`interest LSTM: interrupted; the pack is made of the best epoch so far, NDCG@10 ${best.toFixed(4)}, and --resume goes on with the training`);
  } else {
    await writeStage(folders, `${file}.epochs.json`, trained.history);
    await writeStage(folders, `${file}.tuned.safetensors`, tuned);
    await writeStage(folders, `${file}.shipped.safetensors`, shipped);
    await writeStage(folders, `${file}.json`, measured);
  }
  return { tuned: parseSafetensors(tuned), shipped: parseSafetensors(shipped), measured, epochs: trained.history, pretrainingLosses, interrupted, trained: trained.trained, continued: trained.continued };
}

/** Pretrains with a line for each epoch; afterwards the kernels' memory is free again. */
async function pretrainAloud(material: InterestData, kernels: TrainingKernels, settings: InterestTrainingOptions, pretraining: PretrainingOptions, { progress, signal }: { progress: Progress; signal: AbortSignal }): Promise<Pretrained> {
  const label = `pretraining by ${pretrainingName(pretraining.kind)}`;
  const pretrained = await pretrain(material, kernels, settings, pretraining, {
    onStep: async ({ epoch, share, loss }) => {
      signal.throwIfAborted();
      progress.update({ label: `${label}, epoch ${epoch}`, share: (epoch - 1 + share) / pretraining.epochs, loss, metric: 'not measured' });
      await new Promise((resolve) => setImmediate(resolve)); // lets signals and progress through
    },
    onEpoch: (epoch, loss) => progress.say(`${label}: epoch ${epoch}, loss ${loss.toFixed(4)}`),
  });
  progress.done();
  kernels.release();
  return pretrained;
}

/** A model without text has no projection; unseen items are then zeros. */
function withProjection(tensors: TrainedInterest['tuned'], text: number): TrainedInterest['tuned'] {
  const [embedding = 0, columns = 0] = tensors.get('projection')!.shape;
  if (columns === 0) tensors.set('projection', { shape: [embedding, text], values: new Float32Array(embedding * text) });
  return tensors;
}
