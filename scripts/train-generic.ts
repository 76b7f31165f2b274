// npm run train:generic: trains models/shop-en, the recommender for shops without logs, as it ships.
import { writeFile } from 'node:fs/promises';
import { ONLINE_RETAIL } from '../bench/quality/online-retail.ts';
import { createPlainDevice } from '../src/cli/device.ts';
import { readShop } from '../src/cli/train/read-shop.ts';
import { createTrainingKernels } from '../src/compute/create-training-kernels.ts';
import { GENERIC_FEATURES, trainGenericHead } from '../src/learn/generic-training.ts';
import { DEFAULT_HEAD_TRAINING } from '../src/learn/head-training.ts';
import { writeRecommender } from '../src/learn/write-recommender.ts';
import { FEATURE_SCHEMA } from '../src/rank/feature-schema.ts';
import { genericCard } from './generic-card.ts';

const OUT = 'models/shop-en';
const FROM = Date.parse('2011-10-01') / 1_000; // a month of visits to learn from
const UNTIL = Date.parse(ONLINE_RETAIL.until) / 1_000;

const { shop, encoderRevision } = await readShop(ONLINE_RETAIL, (line) => console.log(line));
const device = await createPlainDevice();
const { head, tables, lists } = await trainGenericHead(shop, { from: FROM, until: UNTIL }, createTrainingKernels({ maxBytes: 2 ** 29 }), device, DEFAULT_HEAD_TRAINING);
device.dispose();
for (const { epoch, loss, ndcg } of head.history) console.log(`head: epoch ${epoch}, loss ${loss.toFixed(4)}, NDCG@10 of held-out shoppers' lists ${ndcg.toFixed(4)}`);
const manifest = await writeRecommender(
  OUT,
  {
    kind: 'recommender',
    name: 'shop-en',
    created: new Date(UNTIL * 1_000).toISOString(),
    encoder: { revision: encoderRevision, address: '../encoder-en/pack.json' },
    dims: { text: shop.textDimensions, items: 0, context: 0 },
    features: { ...FEATURE_SCHEMA, names: GENERIC_FEATURES },
    measured: { 'head.validationNdcg@10': head.history.at(-1)!.ndcg, 'head.lists': lists },
    trainingData: [ONLINE_RETAIL.trainingData],
    licence: ONLINE_RETAIL.trainingData.licence,
  },
  { itemIds: [], interest: null, demand: null, head: head.tensors, tables },
);
await writeFile(`${OUT}/README.md`, genericCard(manifest));
console.log(`pack ${manifest.name} ${manifest.revision}: ${manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)} bytes in ${OUT}`);
