import { RecommenderError } from '../errors.ts';
import { PARAMETER_GROUPS, type InterestTrainingOptions, type ParameterGroup } from '../learn/interest-training.ts';
import type { ItemLossOptions } from '../learn/losses.ts';
import { PRETRAINING_EPOCHS, type PretrainingKind, type PretrainingOptions } from '../learn/pretraining-kinds.ts';
import type { SequenceOptions } from '../learn/sequence-layer.ts';
import type { SequenceKind } from '../packs/sequence-kinds.ts';
import { PRESETS, type PresetName } from './presets.ts';

/** How `shelfwise train` is told to train the interest LSTM; what is left out is as in the preset. */
export interface InterestFlags {
  /** Default `shop`. */
  readonly preset?: PresetName;
  /** Default `lstm`. */
  readonly model?: SequenceKind;
  /** Of the transformer. Default 2, 2 and .2. */
  readonly layers?: number;
  readonly heads?: number;
  readonly layerDropout?: number;
  readonly loss?: ItemLossOptions['kind'];
  /** Items that a sampling loss compares with. Default: the preset's, else 256. */
  readonly negatives?: number;
  /** Of the sampled soft-max. Default `popularity`, whose normaliser varies least. */
  readonly sampler?: 'uniform' | 'popularity';
  /** t of gBCE, 0 to 1. Default .75. */
  readonly calibration?: number;
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly clip?: number;
  /** Steps. */
  readonly warmUp?: number;
  /** Groups of parameters, with commas between. */
  readonly freeze?: string;
  /** Units of item embeddings, and of the state. */
  readonly embedding?: number;
  readonly hidden?: number;
  /** τ of scores τ · cos + b; 0 for plain products. */
  readonly cosine?: number;
  /** Shoppers side by side, and events that a gradient goes back. */
  readonly lanes?: number;
  readonly steps?: number;
  /** Epochs without a better validation NDCG@10. */
  readonly patience?: number;
  /** Of inputs and of the state, 0 to below 1. */
  readonly inputDropout?: number;
  readonly hiddenDropout?: number;
  /** What is learnt before, on the same events, without being asked for the next item. Default: nothing, training starts at random. */
  readonly pretrain?: PretrainingKind;
  /** Default 10 of masked items, 60 of the autoencoder. */
  readonly pretrainEpochs?: number;
  /** Weight of the days until the next purchase beside the next item; 0 leaves them out. */
  readonly daysWeight?: number;
}

const DEFAULT_NEGATIVES = 256;
const DEFAULT_CALIBRATION = 0.75;

/**
 * Training options from flags.
 * @throws RecommenderError `INVALID_OPTIONS` for flags that contradict, numbers out of range and unknown groups.
 */
export function interestTrainingOf(flags: InterestFlags): InterestTrainingOptions {
  const defaults: InterestTrainingOptions = PRESETS[flags.preset ?? 'shop'].interest;
  const { lanes = defaults.lanes, steps = defaults.steps, patience = defaults.patience } = flags;
  const { embedding = defaults.embedding, hidden = defaults.hidden, cosine = defaults.cosine, inputDropout = defaults.regularisation.inputDropout, hiddenDropout = defaults.regularisation.hiddenDropout, daysWeight = defaults.regularisation.daysWeight } = flags;
  if (inputDropout >= 1 || hiddenDropout >= 1) throw refuse('Dropout must be below 1; 0.2 to 0.5 are usual.');
  const { learningRate = defaults.learningRate, weightDecay = defaults.weightDecay, clip = defaults.clip, warmUp = defaults.warmUpSteps } = flags;
  if (clip === 0) throw refuse('--clip 0 would leave no gradient; choose a larger norm.');
  const regularisation = { ...defaults.regularisation, inputDropout, hiddenDropout, daysWeight };
  return { ...defaults, model: modelOf(flags, hidden), lanes, steps, patience, embedding, hidden, cosine, regularisation, loss: lossOf(flags, defaults.loss), learningRate, weightDecay, clip, warmUpSteps: warmUp, freeze: groupsOf(flags.freeze) };
}

/**
 * What is learnt before the interest model's training; undefined for nothing.
 * @throws RecommenderError `INVALID_OPTIONS` for epochs of no pretraining.
 */
export function pretrainingOf({ pretrain: kind, pretrainEpochs: epochs }: InterestFlags): PretrainingOptions | undefined {
  if (kind) return { kind, epochs: epochs ?? PRETRAINING_EPOCHS[kind] };
  if (epochs !== undefined) throw refuse('--pretrain-epochs belongs to --pretrain masked-items or autoencoder.');
  return undefined;
}

function modelOf({ model: kind = 'lstm', layers, heads = 2, layerDropout = 0.2 }: InterestFlags, hidden: number): SequenceOptions {
  if (kind === 'transformer') {
    if (hidden % heads !== 0) throw refuse(`--heads ${heads} must divide --hidden ${hidden}.`);
    if (layerDropout >= 1) throw refuse('--layer-dropout must be below 1; 0.1 to 0.5 are usual.');
    return { kind, layers: layers ?? 2, heads, dropout: layerDropout };
  }
  return { kind };
}

function lossOf({ loss, negatives, sampler, calibration }: InterestFlags, preset: ItemLossOptions): ItemLossOptions {
  const kind = loss ?? preset.kind;
  const usual = { negatives: DEFAULT_NEGATIVES, sampler: 'popularity', calibration: DEFAULT_CALIBRATION, ...(kind === preset.kind && preset) } as const;
  if (negatives !== undefined && kind === 'softmax') throw refuse('--negatives belongs to a --loss that samples; the full soft-max compares all items.');
  if (sampler !== undefined && kind !== 'sampled-softmax') throw refuse('--sampler belongs to --loss sampled-softmax; gbce draws uniformly.');
  if (calibration !== undefined && kind !== 'gbce') throw refuse('--calibration belongs to --loss gbce.');
  if (calibration !== undefined && calibration > 1) throw refuse('--calibration must be from 0 to 1.');
  switch (kind) {
    case 'softmax':
      return { kind };
    case 'sampled-softmax':
      return { kind, negatives: negatives ?? usual.negatives, sampler: sampler ?? usual.sampler };
    case 'gbce':
      return { kind, negatives: negatives ?? usual.negatives, calibration: calibration ?? usual.calibration };
  }
}

function groupsOf(list: string | undefined): readonly ParameterGroup[] {
  const named = list?.split(',').map((name) => name.trim()) ?? [];
  return named.map((name) => {
    const group = PARAMETER_GROUPS.find((known) => known === name);
    if (group) return group;
    throw refuse(`--freeze knows no ${name}; there are ${PARAMETER_GROUPS.join(', ')}.`);
  });
}

function refuse(text: string): RecommenderError {
  return new RecommenderError('INVALID_OPTIONS', text);
}
