import { mkdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import type { Device } from '../compute/device.ts';
import { openTrainingKernels } from '../compute/open-training-kernels.ts';
import type { TrainingKernels } from '../compute/training-kernels.ts';
import { itemText } from '../encoder/item-text.ts';
import { RecommenderError } from '../errors.ts';
import { contentKey } from '../lib/hash.ts';
import { parseSafetensors, writeSafetensors, type SafeTensors } from '../lib/safetensors.ts';
import { groupByUser, logBefore, PURCHASE } from '../learn/histories.ts';
import type { DemandEpoch } from '../learn/demand-training.ts';
import { DEFAULT_HEAD_TRAINING } from '../learn/head-training.ts';
import { trainInterest, type InterestEpoch, type InterestHooks, type TrainedInterest } from '../learn/interest-training.ts';
import { countTables, DEFAULT_TABLES, featureNames, trainShopDemand, trainShopHead, type Part } from '../learn/recommender-training.ts';
import { priceQuantilesOf, pricePositionsOf, type Shop } from '../learn/shop.ts';
import { packInterest, writeRecommender, type FloatTensors } from '../learn/write-recommender.ts';
import { FEATURE_SCHEMA } from '../rank/feature-schema.ts';
import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import { readCheckpoint, writeCheckpoint, writeWhole } from './checkpoint.ts';
import { readInteractions, readItems, SPLITS } from './data.ts';
import { createPlainDevice } from './device.ts';
import { openEncoder, packAddress } from './encoder.ts';
import { interestTrainingOf, type InterestFlags } from './interest-options.ts';
import { modelCard } from './model-card.ts';
import { createProgress, type Progress } from './progress.ts';
import { demandCurve, headCurve, interestCurve } from './report/curves.ts';
import { evaluateHeldOut } from './report/held-out.ts';
import type { TrainingReport } from './report/report-data.ts';
import { writeReport } from './report/write-report.ts';
import { logCurves, openScalarLog } from './tensorboard.ts';

export interface TrainOptions extends InterestFlags {
  readonly interactions: string;
  readonly items: string;
  /** The encoder pack's folder. */
  readonly encoder: string;
  /** Where the pack is written. */
  readonly out: string;
  /** Where checkpoints and finished stages are kept for `resume` and `reuse`. Default: `out/training`. */
  readonly working?: string;
  readonly name?: string;
  /** ISO date; nothing from this day on is learnt or counted. Default: the end of the log. */
  readonly until?: string;
  /** Days before `until` that choose the epoch and train the head. Default 31. */
  readonly validationDays?: number;
  readonly seed?: number;
  /** Adds the tables that are fitted, not counted: EASE and the bilinear form over texts. Default: false. */
  readonly fittedTables?: boolean;
  /** How many of the newest sessions are published with the pack for VMIS-kNN. Default: 0, none. */
  readonly shipSessions?: number;
  /** Parts to leave out, for ablations. */
  readonly without?: readonly Part[];
  /** Another training's working folder, whose interest and demand LSTMs are taken where they are there. */
  readonly reuse?: string;
  /** Goes on where an interrupted training stopped. */
  readonly resume?: boolean;
  /** A folder for TensorBoard's event files. Default: none are written. */
  readonly logDir?: string;
  readonly trainingData?: { readonly name: string; readonly licence: string; readonly credit: string };
  readonly epochs?: number;
  /** Threads that train; the bytes are the same with any number. Default: one for each core. */
  readonly threads?: number;
}

const DEFAULT_VALIDATION_DAYS = 31;
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
  const { working = join(out, 'training') } = options;
  const recipe = interestTrainingOf(options);
  await mkdir(working, { recursive: true });
  const { shop, encoderRevision, until } = await readShop(options, say);
  const from = until - validationDays * 86_400;
  const kernels = await openTrainingKernels({ maxBytes: KERNEL_MEGABYTES * 2 ** 20, threads: options.threads ?? availableParallelism() });
  const device = await createPlainDevice();
  const { embedding, hidden } = recipe;
  if (!shop.log.time.some((time) => time < from)) {
    throw new RecommenderError('INVALID_DATA', `The log starts later than ${validationDays} days before its end; choose fewer --validation-days.`);
  }
  const log = options.logDir === undefined ? null : openScalarLog(options.logDir);

  const fingerprint = fingerprintOf(shop, [encoderRevision, from, until, seed, options.epochs ?? 'all', JSON.stringify(recipe)]);
  const asked = options.without ?? [];
  const useText = !asked.includes('text');
  const interest = asked.includes('lstm') ? null : await interestStage(shop, { from, until, useText, seed, fingerprint, kernels, options, working, progress, logEpoch: (epochs) => log && logCurves(log, [interestCurve(epochs)], { newestOnly: true }) });
  kernels.release();
  const demand = asked.includes('demand') ? null : await demandStage(shop, { from, until, seed, fingerprint, kernels, device, options, working, progress });
  kernels.release();
  const without = demand ? asked : ([...asked, 'demand'] as const);
  const tables = { fitted: options.fittedTables ?? DEFAULT_TABLES.fitted, shipSessions: options.shipSessions ?? DEFAULT_TABLES.shipSessions };
  const head = await trainShopHead(shop, { interest: interest?.tuned ?? null, demand: demand?.tuned ?? null, embedding, hidden }, kernels, device, {
    from,
    until,
    without,
    tables,
    training: { ...DEFAULT_HEAD_TRAINING, seed },
  });
  for (const { epoch, loss, ndcg } of head.history) say(`head: epoch ${epoch}, loss ${loss.toFixed(4)}, NDCG@10 of held-out shoppers' lists ${ndcg.toFixed(4)}`);
  const later = [...(demand ? [demandCurve(demand.epochs)] : []), headCurve(head.history)];
  if (log) logCurves(log, later);

  const manifest = await writeRecommender(
    out,
    {
      kind: 'recommender',
      name: options.name ?? 'shop',
      created: new Date(until * 1_000).toISOString(),
      encoder: { revision: encoderRevision, address: relative(out, packAddress(options.encoder)).replaceAll('\\', '/') },
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
      tables: countTables(shop, logBefore(shop.log, until), tables),
    },
  );
  const purchasesOnly = shop.log.kind.every((kind) => kind === PURCHASE);
  await writeWhole(join(out, 'README.md'), new TextEncoder().encode(modelCard(manifest, { interest: recipe, purchasesOnly, until, validationDays, seed })));
  say(`pack ${manifest.name} ${manifest.revision}: ${manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)} bytes in ${out}`);
  device.dispose();
  await kernels.close();
  const lines = new Float32Array(shop.itemIds.length);
  for (const item of logBefore(shop.log, from).item) lines[item]!++;
  const report: TrainingReport = {
    version: 1,
    pack: { name: manifest.name, revision: manifest.revision },
    data: {
      interactions: shop.log.item.length,
      shoppers: shop.log.users,
      items: shop.itemIds.length,
      validationFrom: new Date(from * 1_000).toISOString(),
      until: new Date(until * 1_000).toISOString(),
    },
    seed,
    interrupted: interest?.interrupted ?? false,
    curves: [...(interest ? [interestCurve(interest.epochs)] : []), ...later].filter(({ epochs }) => epochs.length > 0),
    evaluation: evaluateHeldOut(head.heldOut, { items: shop.itemIds.length, features: featureNames(without, tables), lines }),
  };
  await writeReport(out, report);
  say(`report in ${join(out, 'report.html')}`);
  return report;
}

/** Reads log and catalogue, keeps what was sold before `until`, and encodes the titles. */
export async function readShop(options: Pick<TrainOptions, 'interactions' | 'items' | 'encoder' | 'until' | 'without'>, say: (line: string) => void): Promise<{ shop: Shop; encoderRevision: string; until: number }> {
  const log = await readInteractions(options.interactions, { events: BEHAVIOUR_KINDS });
  if (log.clock === 'position') throw new RecommenderError('INVALID_DATA', `${options.interactions}: training holds back the last days, and positions have none; add "timestamp" in Unix seconds to every line.`);
  const catalogue = await readItems(options.items);
  const until = options.until === undefined ? (log.time.at(-1) ?? 0) + 1 : Date.parse(options.until) / 1_000;
  if (Number.isNaN(until)) throw new RecommenderError('INVALID_OPTIONS', `--until ${options.until ?? ''} is not a date such as 2011-11-01.`);
  const learnt = (row: number): boolean => log.time[row]! < until && log.split?.[row] !== SPLITS.indexOf('test');
  const sold = new Set<string>();
  log.item.forEach((item, row) => {
    if (learnt(row)) sold.add(log.items[item]!);
  });
  if (sold.size === 0) throw new RecommenderError('INVALID_DATA', `${options.interactions}: no line is left before --until ${options.until ?? ''} and outside split "test"; choose a later date.`);
  const kept = catalogue.ids.map((id, at) => ({ id, at })).filter(({ id }) => sold.has(id));
  const index = new Map(kept.map(({ id }, item) => [id, item]));
  const itemOf = Int32Array.from(log.items, (id) => index.get(id) ?? -1);
  const rows = new Int32Array(log.item.length).map((_, row) => row).filter((row) => learnt(row) && itemOf[log.item[row]!]! >= 0);
  if (kept.length === 0) throw new RecommenderError('INVALID_DATA', `${options.items}: none of the log's ${sold.size} items is in the catalogue; write ids alike in both (the log has ${JSON.stringify(log.items[0])}, the catalogue ${JSON.stringify(catalogue.ids[0])}).`);
  if (kept.every(({ at }) => catalogue.titles[at] === '') && options.without?.includes('text') !== true) throw new RecommenderError('INVALID_DATA', `${options.items}: no item has a title for the text encoder to read; fill the column "title".`);
  const kinds = log.kinds.map((kind) => BEHAVIOUR_KINDS.findIndex((known) => known === kind));
  const itemPrices = Float32Array.from(kept, ({ at }) => catalogue.price[at]!);
  const priceQuantiles = priceQuantilesOf(itemPrices);
  const titles = kept.map(({ at }) => catalogue.titles[at]!);
  say(`${rows.length} lines, ${log.users.length} shoppers, ${kept.length} items; encoding titles`);
  const { encoder, pack, device } = await openEncoder(options.encoder);
  const textVectors = await encoder.encode(kept.map(({ id }, item) => itemText({ id, title: titles[item]! })));
  const textDimensions = encoder.dimensions;
  encoder.dispose();
  device.dispose();
  const pick = <T extends Int32Array | Float32Array | Float64Array | Uint8Array>(make: { from(source: Int32Array, map: (row: number) => number): T }, value: (row: number) => number): T => make.from(rows, value);
  const shop: Shop = {
    itemIds: kept.map(({ id }) => id),
    titles,
    itemPrices,
    pricePositions: pricePositionsOf(itemPrices, priceQuantiles),
    priceQuantiles,
    textVectors,
    textDimensions,
    quantity: pick(Float32Array, (row) => log.quantity?.[row] ?? NaN),
    log: {
      users: log.users.length,
      items: kept.length,
      user: pick(Int32Array, (row) => log.user[row]!),
      item: pick(Int32Array, (row) => itemOf[log.item[row]!]!),
      kind: pick(Uint8Array, (row) => kinds[log.kind[row]!]!),
      time: pick(Float64Array, (row) => log.time[row]!),
      price: pick(Float32Array, (row) => log.price?.[row] ?? NaN),
      session: pick(Int32Array, (row) => log.session?.[row] ?? -1),
    },
  };
  return { shop, encoderRevision: pack.manifest.revision, until };
}

interface Stage {
  /** Of all that the LSTMs are trained on: a stage of other data is never taken for this one's. */
  readonly fingerprint: string;
  readonly from: number;
  readonly until: number;
  readonly seed: number;
  readonly kernels: TrainingKernels;
  readonly options: TrainOptions;
  readonly working: string;
  readonly progress: Progress;
}

interface InterestStage {
  readonly tuned: SafeTensors;
  readonly shipped: SafeTensors;
  readonly measured: Readonly<Record<string, number>>;
  /** None where the stage was taken from a training that kept none. */
  readonly epochs: readonly InterestEpoch[];
  readonly interrupted: boolean;
}

async function interestStage(shop: Shop, stage: Stage & { readonly useText: boolean; readonly logEpoch: (epochs: readonly InterestEpoch[]) => void }): Promise<InterestStage> {
  const { from, until, useText, seed, fingerprint, kernels, options, working, progress, logEpoch } = stage;
  const { say } = progress;
  const file = `interest${useText ? '' : '-without-text'}-${fingerprint}`;
  const done = await readStage(options, working, `${file}.tuned.safetensors`);
  const shipped = await readStage(options, working, `${file}.shipped.safetensors`);
  const figures = await readStage(options, working, `${file}.json`);
  if (done && shipped && figures) {
    say(`interest LSTM: taken from an earlier training (${file})`);
    return { tuned: parseSafetensors(done), shipped: parseSafetensors(shipped), measured: JSON.parse(figures.toString()) as Record<string, number>, epochs: await readEpochs<InterestEpoch>(options, working, file), interrupted: false };
  }
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new RecommenderError('ABORTED', 'No epoch was whole, so nothing was kept.'));
  process.once('SIGINT', interrupt); // once: a second Ctrl-C ends the process
  const checkpoint = join(working, `${file}.checkpoint.safetensors`);
  if (!options.resume) await rm(checkpoint, { force: true });
  const data = {
    training: groupByUser(logBefore(shop.log, from)),
    refit: groupByUser(logBefore(shop.log, until)),
    validationFrom: from,
    textVectors: useText ? shop.textVectors : new Float32Array(0),
    textDimensions: useText ? shop.textDimensions : 0,
    priceQuantiles: shop.priceQuantiles,
    itemPrices: shop.itemPrices,
  };
  const settings = { ...interestTrainingOf(options), seed, ...(options.epochs === undefined ? {} : { maxEpochs: options.epochs }) };
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
  const { trained, interrupted } = await trainInterest(data, kernels, settings, hooks).then(
    (whole) => ({ trained: whole, interrupted: false }),
    async (error: unknown) => {
      const kept = stop.signal.aborted ? await readCheckpoint(checkpoint) : undefined;
      if (!kept) throw error;
      kernels.release();
      const ended = kept.phase === 'train' ? { maxEpochs: kept.epoch, refitEpochs: 0 } : { refitEpochs: kept.epoch };
      return { trained: await trainInterest(data, kernels, { ...settings, ...ended }, { resumeFrom: kept }), interrupted: true };
    },
  );
  process.off('SIGINT', interrupt);
  progress.done();
  const best = Math.max(...trained.history.map(({ ndcg }) => ndcg ?? 0));
  const measured = { 'interest.validationNdcg@10': best, 'interest.epochs': trained.history.length };
  const tensors = { tuned: withProjection(trained.tuned, shop.textDimensions), shipped: withProjection(trained.shipped, shop.textDimensions) };
  const tuned = packInterest(tensors.tuned);
  const shippedBytes = packInterest(tensors.shipped);
  if (interrupted) {
    say(`interest LSTM: interrupted; the pack is made of the best epoch so far, NDCG@10 ${best.toFixed(4)}, and --resume goes on with the training`);
  } else {
    await writeEpochs(working, file, trained.history);
    await writeWhole(join(working, `${file}.tuned.safetensors`), tuned);
    await writeWhole(join(working, `${file}.shipped.safetensors`), shippedBytes);
    await writeWhole(join(working, `${file}.json`), new TextEncoder().encode(JSON.stringify(measured)));
  }
  return { tuned: parseSafetensors(tuned), shipped: parseSafetensors(shippedBytes), measured, epochs: trained.history, interrupted };
}

async function demandStage(shop: Shop, { from, until, seed, fingerprint, kernels, device, options, working, progress: { say } }: Stage & { readonly device: Device }): Promise<{ tuned: FloatTensors; shipped: FloatTensors; epochs: readonly DemandEpoch[] } | null> {
  const stage = async (label: string, end: number): Promise<FloatTensors> => {
    const file = `demand-${label}-${fingerprint}`;
    const done = await readStage(options, working, `${file}.safetensors`);
    if (done) return asFloats(parseSafetensors(done));
    const { tensors, report } = await trainShopDemand(shop, end, kernels, device, seed);
    kernels.release();
    say(`demand LSTM (${label}): ${report.bestEpoch} epochs, pinball loss of the held-out weeks ${report.holdOutLoss.toFixed(4)}`);
    await writeEpochs(working, file, report.epochs);
    await writeWhole(join(working, `${file}.safetensors`), writeSafetensors([...tensors].map(([name, { shape, values }]) => [name, { dtype: 'F32', shape, values }] as const)));
    return tensors;
  };
  try {
    const [tuned, shipped] = [await stage('tuned', from), await stage('shipped', until)];
    return { tuned, shipped, epochs: await readEpochs<DemandEpoch>({ ...options, resume: true }, working, `demand-shipped-${fingerprint}`) };
  } catch (error) {
    if (!(error instanceof RecommenderError) || error.code !== 'INVALID_DATA') throw error;
    say('demand LSTM: left out, since no item has six weeks of sales before the validation days');
    return null;
  }
}

function fingerprintOf({ itemIds, log }: Shop, settings: readonly (string | number)[]): string {
  return contentKey([itemIds.join(' '), log.user.join(' '), log.item.join(' '), log.time.join(' '), ...settings].join('|'));
}

/** A model without text has no projection; unseen items are then zeros. */
function withProjection(tensors: TrainedInterest['tuned'], text: number): TrainedInterest['tuned'] {
  const [embedding = 0, columns = 0] = tensors.get('projection')!.shape;
  if (columns === 0) tensors.set('projection', { shape: [embedding, text], values: new Float32Array(embedding * text) });
  return tensors;
}

/** int8 tensors stay as they are named; `writeRecommender` packs them to the same bytes again. */
function asFloats(tensors: SafeTensors): FloatTensors {
  const floats = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const [name, tensor] of tensors) {
    if (name.endsWith('.scale') && tensors.has(name.slice(0, -'.scale'.length))) continue;
    if (tensor.dtype === 'F32') floats.set(name, tensor);
    if (tensor.dtype !== 'I8') continue;
    const scales = tensors.get(`${name}.scale`)!.values;
    const columns = tensor.shape[1]!;
    floats.set(name, { shape: tensor.shape, values: Float32Array.from(tensor.values, (value, at) => value * scales[Math.floor(at / columns)]!) });
  }
  return floats;
}

async function readStage({ resume, reuse }: TrainOptions, working: string, file: string): Promise<Buffer | undefined> {
  const folders = [...(resume ? [working] : []), ...(reuse === undefined ? [] : [reuse])];
  for (const folder of folders) {
    const bytes = await readFile(join(folder, file)).catch(() => undefined);
    if (bytes) return bytes;
  }
  return undefined;
}

/** A finished stage's epochs are kept for the report of a training that takes the stage over. */
async function writeEpochs(working: string, file: string, epochs: readonly object[]): Promise<void> {
  await writeWhole(join(working, `${file}.epochs.json`), new TextEncoder().encode(JSON.stringify(epochs)));
}

async function readEpochs<Epoch>(options: TrainOptions, working: string, file: string): Promise<readonly Epoch[]> {
  const json = await readStage(options, working, `${file}.epochs.json`);
  return json ? (JSON.parse(json.toString()) as Epoch[]) : [];
}
