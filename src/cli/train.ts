import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { openTrainingKernels } from '../compute/open-training-kernels.ts';
import { RecommenderError } from '../errors.ts';
import { PURCHASE } from '../learn/histories.ts';
import { countTables, featureNames, type Part } from '../learn/recommender-training.ts';
import { writeRecommender } from '../learn/write-recommender.ts';
import { FEATURE_SCHEMA } from '../rank/feature-schema.ts';
import { adapterOf } from './adapter-option.ts';
import { writeWhole } from './checkpoint.ts';
import { createPlainDevice } from './device.ts';
import { packAddress } from './encoder.ts';
import { interestTrainingOf, pretrainingOf, type InterestFlags } from './interest-options.ts';
import { modelCard } from './model-card.ts';
import { PRESETS } from './presets.ts';
import { createProgress, type Progress } from './progress.ts';
import { demandCurve, headCurve, interestCurve, nextPurchaseErrors, pretrainingCurve } from './report/curves.ts';
import type { TrainingReport } from './report/report-data.ts';
import { writeReport } from './report/write-report.ts';
import { logCurves, openScalarLog } from './tensorboard.ts';
import { demandStage } from './train/demand-stage.ts';
import { continuedTraining, describeContinued, readEarlierPack } from './train/earlier-pack.ts';
import { headStage } from './train/head-stage.ts';
import { interestStage } from './train/interest-stage.ts';
import { DEFAULT_VALIDATION_DAYS, readShop, type ReadShopOptions } from './train/read-shop.ts';
import { searchSettings } from './train/search.ts';
import { asFloats, type StageFolders } from './train/stage-files.ts';
import { sweepWindows } from './train/window-sweep.ts';

export interface TrainOptions extends InterestFlags, ReadShopOptions {
  /** Where the pack is written. */
  readonly out: string;
  /** Where checkpoints and finished stages are kept for `resume` and `reuse`. Default: `out/training`. */
  readonly working?: string;
  readonly name?: string;
  readonly seed?: number;
  /** A pack's folder: its interest model is trained on with the days since its end. */
  readonly init?: string;
  /** What of it: `full` (default), `head-only` or `lora:RANK`. */
  readonly adapter?: string;
  /** Adds the tables that are fitted, not counted: EASE and the bilinear form over texts. Default: the preset's. */
  readonly fittedTables?: boolean;
  /** How many of the newest sessions are published with the pack for VMIS-kNN; 0 publishes none. Default: the preset's. */
  readonly shipSessions?: number;
  /** Parts to leave out, for ablations. */
  readonly without?: readonly Part[];
  /** Another training's working folder, whose finished stages are taken where they are there. */
  readonly reuse?: string;
  /** Settings that are tried in short trainings before the best trains to the end. Default: 0, the preset alone. */
  readonly search?: number;
  /** Adds a comparison of how many days to learn from to the report. */
  readonly windows?: boolean;
  /** Goes on where an interrupted training stopped. */
  readonly resume?: boolean;
  /** A folder for TensorBoard's event files. Default: none are written. */
  readonly logDir?: string;
  readonly trainingData?: { readonly name: string; readonly licence: string; readonly credit: string };
  readonly epochs?: number;
  /** Threads that train; the bytes are the same with any number. Default: one for each core. */
  readonly threads?: number;
}

const KERNEL_MEGABYTES = 1_024;

/**
 * `shelfwise train`: interactions and items in, a recommender pack out, with report.json and report.html beside it.
 * Ctrl-C while the interest LSTM trains ends its training there: the pack is made of the best epoch so far, and `resume` goes on with the whole training.
 * @throws RecommenderError `ABORTED` for a Ctrl-C before the first whole epoch;
 * RecommenderError `INVALID_DATA` for files that cannot be trained on, `INVALID_OPTIONS` for options that contradict.
 */
export async function runTrain(options: TrainOptions, print: (line: string) => void = (line) => process.stderr.write(`${line}\n`)): Promise<TrainingReport> {
  const progress = createProgress(print);
  try {
    return await train(options, progress);
  } finally {
    progress.done();
  }
}

async function train(options: TrainOptions, progress: Progress): Promise<TrainingReport> {
  const { say } = progress;
  const { out, seed = 1, validationDays = DEFAULT_VALIDATION_DAYS } = options;
  const folders: StageFolders = { working: options.working ?? join(out, 'training'), resume: options.resume, reuse: options.reuse };
  if (options.init !== undefined && (options.search || options.windows)) throw new RecommenderError('INVALID_OPTIONS', '--search and --windows train from the start; leave out --init, whose sizes and days are given.');
  const pretraining = pretrainingOf(options);
  if (pretraining && options.init !== undefined) throw new RecommenderError('INVALID_OPTIONS', '--pretrain prepares a model that starts at random; --init starts from a pack, so leave one of them out.');
  const adapter = adapterOf(options.adapter, options.init);
  const earlier = options.init === undefined ? undefined : await readEarlierPack(options.init);
  const anew = { ...interestTrainingOf(options), adapter, seed, ...(options.epochs !== undefined && { maxEpochs: options.epochs }) };
  const given = earlier ? continuedTraining(earlier, anew, options) : anew;
  await mkdir(folders.working, { recursive: true });
  const data = await readShop(options, say);
  const { shop, protocol, learnt, encoderRevision, period } = data;
  say(`${shop.log.item.length} lines, ${new Set(shop.log.user).size} shoppers, ${shop.itemIds.length} items; ${learnt.item.length} lines are learnt before ${protocol} validation`);
  const kernels = await openTrainingKernels({ maxBytes: KERNEL_MEGABYTES * 2 ** 20, threads: options.threads ?? availableParallelism() });
  const device = await createPlainDevice();
  const log = options.logDir === undefined ? null : openScalarLog(options.logDir);

  const asked = options.without ?? [];
  const useText = !asked.includes('text') && shop.textDimensions > 0;
  const stage = { folders, kernels, device, progress, seed };
  const useInterest = !asked.includes('lstm');
  const recipe = useInterest && options.search ? await searchSettings(data, { ...stage, trials: options.search, settings: given, useText }) : given;
  const { embedding, hidden } = recipe;
  const windows = useInterest && options.windows ? await sweepWindows(data, { ...stage, settings: recipe, useText }) : [];
  const interest = !useInterest ? null : await interestStage(data, { ...stage, settings: recipe, pretraining, useText, earlier, logEpoch: (epochs) => log && logCurves(log, [interestCurve(epochs)], { newestOnly: true }) });
  if (earlier && interest?.continued) for (const line of describeContinued(earlier, interest)) say(line);
  kernels.release();
  const demand = asked.includes('demand') ? null : await demandStage(data, stage);
  kernels.release();
  const without: Part[] = [...asked, ...(demand ? [] : (['demand'] as const)), ...(useText ? [] : (['text'] as const))];
  const preset = PRESETS[options.preset ?? 'shop'].tables;
  const tables = { fitted: options.fittedTables ?? preset.fitted, shipSessions: options.shipSessions ?? preset.shipSessions };
  const head = await headStage(data, { ...stage, interest, demand, dimensions: { embedding, hidden, model: recipe.model.kind }, without, tables });
  const later = [...(demand ? [demandCurve(demand.epochs)] : []), headCurve(head.history)];
  if (log) logCurves(log, later);

  const created = new Date((period?.until ?? 0) * 1_000).toISOString(); // of the data, so that the same data give the same bytes
  const manifest = await writeRecommender(
    out,
    {
      kind: 'recommender',
      name: options.name ?? 'shop',
      created,
      ...(earlier && { base: { name: earlier.manifest.name, revision: earlier.manifest.revision } }),
      ...(options.encoder !== undefined && { encoder: { revision: encoderRevision, address: relative(out, packAddress(options.encoder)).replaceAll('\\', '/') } }),
      ...(interest && recipe.model.kind !== 'lstm' && { model: recipe.model.kind }),
      dims: { text: shop.textDimensions, embedding, hidden, items: shop.itemIds.length, context: interest ? hidden : 0 },
      features: { ...FEATURE_SCHEMA, names: featureNames(without, tables) },
      measured: { ...interest?.measured, 'head.validationNdcg@10': head.history.at(-1)!.ndcg },
      trainingData: [options.trainingData ?? { name: options.interactions, licence: 'the shop’s own', credit: '' }],
      licence: options.trainingData ? options.trainingData.licence : 'the shop’s own',
    },
    {
      itemIds: shop.itemIds,
      interest: interest && asFloats(interest.shipped),
      demand: demand?.shipped ?? null,
      head: head.tensors,
      tables: countTables(shop, shop.log, protocol, tables),
    },
  );
  const purchasesOnly = protocol === 'temporal' && shop.log.kind.every((kind) => kind === PURCHASE);
  await writeWhole(join(out, 'README.md'), new TextEncoder().encode(modelCard(manifest, { interest: recipe, pretraining, protocol, purchasesOnly, until: period?.until ?? null, validationDays, seed })));
  say(`pack ${manifest.name} ${manifest.revision}: ${manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)} bytes in ${out}`);
  device.dispose();
  await kernels.close();
  const report: TrainingReport = {
    version: 1,
    pack: { name: manifest.name, revision: manifest.revision },
    data: {
      protocol,
      interactions: shop.log.item.length,
      heldBack: shop.log.item.length - learnt.item.length,
      shoppers: new Set(shop.log.user).size,
      items: shop.itemIds.length,
      validationFrom: period && protocol === 'temporal' ? new Date(period.from * 1_000).toISOString() : null,
      until: period && new Date(period.until * 1_000).toISOString(),
    },
    seed,
    interrupted: interest?.interrupted ?? false,
    ...(earlier && interest?.continued && { continued: { pack: earlier.manifest.revision, adapter: options.adapter ?? 'full', trained: interest.trained, loss: interest.continued } }),
    curves: [...(interest ? [pretrainingCurve(pretraining, interest.pretrainingLosses), interestCurve(interest.epochs)] : []), ...later].filter(({ epochs }) => epochs.length > 0),
    nextPurchase: interest && nextPurchaseErrors(interest.measured),
    windows,
    evaluation: head.evaluation,
  };
  await writeReport(out, report);
  say(`report in ${join(out, 'report.html')}`);
  return report;
}
