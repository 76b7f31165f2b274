import type { TableData } from './table-data.ts';

const COUNTED = 'counted on these files';

export const RSC15_100K: TableData = {
  name: 'rsc15_100k',
  protocol: 'session',
  metrics: ['recall@20', 'mrr@20'],
  training: { preset: 'session', epochs: 6, lanes: 32, patience: 3, without: ['text', 'demand'], shipSessions: 250_000 },
  users: null,
  anchors: [
    { ranker: 'Markov', source: COUNTED, values: [0.5784, 0.3475] },
    { ranker: 'sequential rules', source: COUNTED, values: [0.6189, 0.3482] },
  ],
  bars: [{ ranker: 'full ranker', must: [0.6189 * 1.03, 0.3482 * 1.03] }],
};
