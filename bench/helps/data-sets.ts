import { PRESETS } from '../../src/cli/presets.ts';
import type { InterestTrainingOptions } from '../../src/learn/interest-training.ts';
import type { PretrainingKind } from '../../src/learn/pretraining-kinds.ts';
import type { Protocol } from '../../src/learn/protocol.ts';
import type { RunOptions } from './run.ts';
import { NO_DISTORTION } from './stream-distortion.ts';

export interface HelpsData {
  readonly name: string;
  readonly protocol: Protocol;
  readonly options: RunOptions;
  readonly hasTitles: boolean;
  /** Epochs of each pretraining; each costs about as much as one of the training. */
  readonly pretrainingEpochs: Readonly<Record<PretrainingKind, number>>;
}

/** Patient by default: on MovieLens a training may need several epochs to do better than popularity. */
const plain = (preset: InterestTrainingOptions, maxEpochs: number, patience = maxEpochs): RunOptions => ({ ...preset, distortion: NO_DISTORTION, titleNoise: 0, maxEpochs, patience, refitEpochs: 0 });

const LONG = PRESETS.long.interest;

/** A session log, a log of long histories and one of short ones; sizes and epochs are such that a training takes a minute or two. */
export const DATA_SETS: readonly HelpsData[] = [
  { name: 'rsc15_100k', protocol: 'session', options: plain(PRESETS.session.interest, 10, 3), hasTitles: false, pretrainingEpochs: { 'masked-items': 6, autoencoder: 10 } },
  {
    name: 'movielens_100k',
    protocol: 'leave-one-out',
    options: plain({ ...LONG, embedding: 64, hidden: 64, learningRate: 3e-3, regularisation: { ...LONG.regularisation, inputDropout: 0.2 } }, 14),
    hasTitles: true,
    pretrainingEpochs: { 'masked-items': 10, autoencoder: 60 },
  },
  { name: 'amazon_beauty_2014', protocol: 'leave-one-out', options: plain(PRESETS.sparse.interest, 8), hasTitles: false, pretrainingEpochs: { 'masked-items': 5, autoencoder: 6 } },
];
