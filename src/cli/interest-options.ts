import { RecommenderError } from '../errors.ts';
import { DEFAULT_INTEREST_TRAINING, PARAMETER_GROUPS, type InterestTrainingOptions, type ParameterGroup } from '../learn/interest-training.ts';
import type { ItemLossOptions } from '../learn/losses.ts';

/** How `shelfwise train` is told to train the interest LSTM; what is left out is as in DEFAULT_INTEREST_TRAINING. */
export interface InterestFlags {
  readonly loss?: ItemLossOptions['kind'];
  /** Items that a sampling loss compares with. Default 256. */
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
}

const DEFAULT_NEGATIVES = 256;
const DEFAULT_CALIBRATION = 0.75;

/**
 * Training options from flags.
 * @throws RecommenderError `INVALID_OPTIONS` for flags that contradict, numbers out of range and unknown groups.
 */
export function interestTrainingOf(flags: InterestFlags): InterestTrainingOptions {
  const defaults = DEFAULT_INTEREST_TRAINING;
  const { learningRate = defaults.learningRate, weightDecay = defaults.weightDecay, clip = defaults.clip, warmUp = defaults.warmUpSteps } = flags;
  if (clip === 0) throw refuse('--clip 0 would leave no gradient; choose a larger norm.');
  return { ...defaults, loss: lossOf(flags), learningRate, weightDecay, clip, warmUpSteps: warmUp, freeze: groupsOf(flags.freeze) };
}

function lossOf({ loss: kind = 'softmax', negatives, sampler, calibration }: InterestFlags): ItemLossOptions {
  if (negatives !== undefined && kind === 'softmax') throw refuse('--negatives belongs to a --loss that samples; the full soft-max compares all items.');
  if (sampler !== undefined && kind !== 'sampled-softmax') throw refuse('--sampler belongs to --loss sampled-softmax; gbce draws uniformly.');
  if (calibration !== undefined && kind !== 'gbce') throw refuse('--calibration belongs to --loss gbce.');
  if (calibration !== undefined && calibration > 1) throw refuse('--calibration must be from 0 to 1.');
  switch (kind) {
    case 'softmax':
      return { kind };
    case 'sampled-softmax':
      return { kind, negatives: negatives ?? DEFAULT_NEGATIVES, sampler: sampler ?? 'popularity' };
    case 'gbce':
      return { kind, negatives: negatives ?? DEFAULT_NEGATIVES, calibration: calibration ?? DEFAULT_CALIBRATION };
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
