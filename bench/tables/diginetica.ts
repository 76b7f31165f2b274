import type { TableData } from './table-data.ts';

const SESSION_REC = 'session-rec, its own cut of the log';

export const DIGINETICA: TableData = {
  name: 'diginetica',
  protocol: 'session',
  metrics: ['recall@20', 'mrr@20'],
  training: { preset: 'session', negatives: 2_048, epochs: 8, without: ['text', 'demand'], shipSessions: 250_000 },
  users: 2_000,
  anchors: [
    { ranker: 'GRU4Rec', source: SESSION_REC, values: [0.5097, 0.175] },
    { ranker: 'VSKNN', source: SESSION_REC, values: [0.5203, 0.1841] },
  ],
  bars: [
    { ranker: 'full ranker', must: [0.5203, 0.1841] },
    { ranker: 'model alone', must: [0.5097, 0.175] },
  ],
};
