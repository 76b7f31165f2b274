import type { InterestTrainingOptions } from '../learn/interest-training.ts';
import { DEFAULT_INTEREST_TRAINING } from '../learn/interest-training.ts';
import type { TableOptions } from '../learn/recommender-training.ts';

/** Defaults for a kind of log. */
export interface Preset {
  readonly about: string;
  readonly interest: InterestTrainingOptions;
  readonly tables: TableOptions;
}

const { regularisation } = DEFAULT_INTEREST_TRAINING;

/**
 * What `--preset` knows: sizes, loss, dropout and window for each kind of log. Every option that is given as well counts more. None publishes
 * sessions: that is a decision of its own (`--ship-sessions`).
 */
export const PRESETS = {
  shop: {
    about: 'a shop’s own log with titles and times',
    interest: DEFAULT_INTEREST_TRAINING,
    tables: { fitted: false, shipSessions: 0 },
  },
  session: {
    about: 'many short sessions of shoppers who are not known',
    interest: {
      ...DEFAULT_INTEREST_TRAINING,
      embedding: 96,
      hidden: 96,
      cosine: 16,
      maxEpochs: 12,
      learningRate: 3e-3,
      loss: { kind: 'sampled-softmax', negatives: 1_024, sampler: 'uniform' },
      regularisation: { ...regularisation, inputDropout: 0.25, hiddenDropout: 0.25 },
    },
    tables: { fitted: false, shipSessions: 0 },
  },
  sparse: {
    about: 'many shoppers with a few events each; beyond some 20,000 items with --loss sampled-softmax',
    interest: {
      ...DEFAULT_INTEREST_TRAINING,
      embedding: 128,
      hidden: 128,
      cosine: 16,
      patience: 3,
      learningRate: 2e-3,
      regularisation: { ...regularisation, inputDropout: 0.5, hiddenDropout: 0.5 },
    },
    tables: { fitted: false, shipSessions: 0 },
  },
  long: {
    about: 'long histories over a few thousand items',
    interest: {
      ...DEFAULT_INTEREST_TRAINING,
      embedding: 128,
      hidden: 192,
      cosine: 20,
      maxEpochs: 18,
      patience: 4,
      steps: 32,
      regularisation: { ...regularisation, inputDropout: 0.3, hiddenDropout: 0.3 },
    },
    tables: { fitted: true, shipSessions: 0 },
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof PRESETS;
