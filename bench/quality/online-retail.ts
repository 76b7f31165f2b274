import type { TrainOptions } from '../../src/cli/train.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** How the demo's pack is trained (`npm run train:demo`), and its ablations with it. */
export const ONLINE_RETAIL = {
  interactions: `${ROOT}demo/data/interactions.csv.gz`,
  items: `${ROOT}demo/data/items.csv.gz`,
  encoder: `${ROOT}models/encoder-en`,
  until: '2011-11-01',
  validationDays: 31,
  seed: 1,
  trainingData: {
    name: 'Online Retail',
    licence: 'CC-BY-4.0',
    credit: 'D. Chen, S. L. Sain and K. Guo (2012), Data mining for the online retail industry, doi:10.1057/dbm.2012.17',
  },
} as const satisfies Partial<TrainOptions>;

/** Where the demo's training keeps its stages; the ablations take their LSTMs from there. */
export const ONLINE_RETAIL_WORKING = `${ROOT}build/training-online-retail`;
