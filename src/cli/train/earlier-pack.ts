import { RecommenderError } from '../../errors.ts';
import { groupByUser } from '../../learn/histories.ts';
import type { InterestData, InterestTrainingOptions } from '../../learn/interest-training.ts';
import { rowsOfLog } from '../../learn/split-log.ts';
import type { FloatTensors } from '../../learn/write-recommender.ts';
import { loadPack } from '../../packs/load-pack.ts';
import type { PackManifest } from '../../packs/pack.ts';
import { readFileBytes } from '../../packs/read-file-bytes.ts';
import { parseRecommenderPack } from '../../rank/recommender-pack.ts';
import { packAddress } from '../encoder.ts';
import type { InterestFlags } from '../interest-options.ts';
import type { InterestStage } from './interest-stage.ts';
import type { TrainingShop } from './read-shop.ts';
import { asFloats } from './stage-files.ts';

/** A pack whose interest model a training goes on from. */
export interface EarlierPack {
  readonly manifest: PackManifest;
  readonly itemIds: readonly string[];
  readonly interest: FloatTensors;
  /** Unix seconds; the pack learnt what was before. */
  readonly end: number;
}

/**
 * Reads a pack to go on from.
 * @throws RecommenderError `PACK_UNAVAILABLE`, `PACK_INVALID`; `INVALID_OPTIONS` when it has no interest model.
 */
export async function readEarlierPack(path: string): Promise<EarlierPack> {
  const { manifest, itemIds, interest } = parseRecommenderPack(await loadPack(packAddress(path), readFileBytes));
  if (!interest) throw new RecommenderError('INVALID_OPTIONS', `--init ${path}: the pack has no interest model to go on from.`);
  return { manifest, itemIds, interest: asFloats(interest), end: Date.parse(manifest.created) / 1_000 };
}

/** A peak that much lower does not undo what the pack knows; a difference of low rank starts from zeros and takes the whole rate. */
const RATE = 0.25;
/** Few days have few steps, and the moments of AdamW are new. */
const WARM_UP_STEPS = 20;

/** How the training goes on: with the pack's sizes, and where none was asked for, with a lower rate and a shorter warm-up. */
export function continuedTraining({ manifest, interest }: EarlierPack, options: InterestTrainingOptions, asked: Pick<InterestFlags, 'learningRate' | 'warmUp'>): InterestTrainingOptions {
  const { embedding = options.embedding, hidden = options.hidden } = manifest.dims;
  const learningRate = asked.learningRate ?? options.learningRate * (options.adapter.kind === 'lora' ? 1 : RATE);
  return { ...options, embedding, hidden, cosine: interest.get('cosine')?.values[0] ?? 0, learningRate, warmUpSteps: asked.warmUp ?? WARM_UP_STEPS, ...modelOf(manifest, interest, options) };
}

/** The pack's own model, whatever is asked: a transformer's window is its steps. */
function modelOf({ model: kind = 'lstm' }: PackManifest, interest: FloatTensors, { model, steps }: InterestTrainingOptions): Pick<InterestTrainingOptions, 'model' | 'steps'> {
  if (kind !== 'transformer') return { model: { kind }, steps };
  const [heads = 0, window = 0] = interest.get('transformer.0.distances')?.shape ?? [];
  const layers = [...interest.keys()].filter((name) => name.endsWith('.distances')).length;
  return { model: { kind, layers, heads, dropout: model.kind === 'transformer' ? model.dropout : 0.2 }, steps: window };
}

/** What a training that went on says: what is gained on new days, and what is lost on old ones. */
export function describeContinued({ manifest }: EarlierPack, { continued, trained }: Pick<InterestStage, 'continued' | 'trained'>): string[] {
  if (!continued) return [];
  const change = ({ before, after }: { before: number; after: number }): string => `${before.toFixed(4)} -> ${after.toFixed(4)}`;
  const { old, recent } = continued;
  return [`went on from ${manifest.name} ${manifest.revision}, ${trained ?? 0} numbers trained: loss on the validation days ${change(recent)}, on days before the pack's end ${old ? change(old) : 'not measured, the log has none'}`];
}

/**
 * What goes on: the days since the pack's end are learnt, and those before show what is forgotten.
 * @throws RecommenderError `INVALID_OPTIONS` for vectors of another encoder and other protocols than `temporal`; `INVALID_DATA` where
 * no day to learn from is left before validation.
 */
export function continuedData(pack: EarlierPack, { protocol, shop, learnt, encoderRevision }: TrainingShop, data: InterestData): InterestData {
  const { manifest, itemIds, interest, end } = pack;
  if (protocol !== 'temporal') throw new RecommenderError('INVALID_OPTIONS', `--init goes on by days; it does not belong to --protocol ${protocol}.`);
  const revision = manifest.encoder?.revision ?? '';
  if (revision !== encoderRevision) throw new RecommenderError('INVALID_OPTIONS', `--init: pack ${manifest.name} was trained with encoder revision ${revision || 'none'}, --encoder is ${encoderRevision || 'none'}; vectors of two encoders do not mix.`);
  const since = rowsOfLog(learnt, (row) => learnt.time[row]! >= end);
  if (since.item.length === 0) throw new RecommenderError('INVALID_DATA', `Nothing to learn is left between the end of pack ${manifest.name} (${manifest.created.slice(0, 10)}) and the validation days; choose fewer --validation-days, or bring a longer log.`);
  const old = rowsOfLog(learnt, (row) => learnt.time[row]! < end);
  const rows = new Map(itemIds.map((id, row) => [id, row]));
  return {
    ...data,
    training: groupByUser(since),
    refit: groupByUser(rowsOfLog(shop.log, (row) => shop.log.time[row]! >= end)),
    earlier: { tensors: interest, rowOf: Int32Array.from(shop.itemIds, (id) => rows.get(id) ?? -1), oldDays: old.item.length > 0 ? groupByUser(old) : null },
  };
}
