import type { TableData } from './table-data.ts';

export const AMAZON_BEAUTY_2014: TableData = {
  name: 'amazon_beauty_2014',
  protocol: 'leave-one-out',
  metrics: ['hr@10', 'ndcg@10'],
  training: { preset: 'sparse', without: ['text', 'demand'], shipSessions: 30_000 },
  users: null,
  anchors: [
    { ranker: 'SASRec', source: 'Zhou et al. 2020 (S3-Rec)', values: [0.0605, 0.0318] },
    { ranker: 'TIGER', source: 'Rajput et al. 2023', values: [0.0648, 0.0384] },
    { ranker: 'SASRec with sampled soft-max', source: 'Tikhonovich et al. 2025 (eSASRec)', values: [0.0921, 0.0531] },
  ],
  bars: [
    { ranker: 'full ranker', must: [0.099, 0.06], aim: [0.11, 0.066] },
    { ranker: 'model alone', must: [0.075, 0.042] },
  ],
};
