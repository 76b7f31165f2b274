import type { TableData } from './table-data.ts';

const KLENITSKIY = 'Klenitskiy & Vasilev 2023';

export const MOVIELENS_1M: TableData = {
  name: 'movielens_1m',
  protocol: 'leave-one-out',
  metrics: ['hr@10', 'ndcg@10'],
  training: { preset: 'long', without: ['text', 'demand'] },
  users: null,
  anchors: [
    { ranker: 'SASRec', source: KLENITSKIY, values: [0.25, 0.1341] },
    { ranker: 'BERT4Rec', source: KLENITSKIY, values: [0.2843, 0.1537] },
    { ranker: 'gSASRec', source: 'Petrov & Macdonald 2023', values: [0.3003, 0.1726] },
    { ranker: 'SASRec with cross-entropy', source: KLENITSKIY, values: [0.3152, 0.1821] },
  ],
  bars: [{ ranker: 'model alone', must: [null, 0.175], aim: [null, 0.186] }],
};
