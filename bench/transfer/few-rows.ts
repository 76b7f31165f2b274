import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPlainDevice } from '../../src/cli/device.ts';
import { runTrain, type TrainOptions } from '../../src/cli/train.ts';
import { readShop } from '../../src/cli/train/read-shop.ts';
import { createTrainingKernels } from '../../src/compute/create-training-kernels.ts';
import { GENERIC_FEATURES, trainGenericHead } from '../../src/learn/generic-training.ts';
import { DEFAULT_HEAD_TRAINING } from '../../src/learn/head-training.ts';
import { parseSafetensors, writeSafetensors } from '../../src/lib/safetensors.ts';
import { FEATURE_SCHEMA } from '../../src/rank/feature-schema.ts';
import { JointHead } from '../../src/rank/head.ts';
import { Ranker } from '../../src/rank/ranker.ts';
import { openScores, scoreWith, type OtherShop, type Score } from './other-shop.ts';

/** What a shop that has just begun to log may have. */
export const FEW_ROWS = Number(process.env.BENCH_ROWS ?? 5_000);
const ROWS_OF_A_SHOPPER = 20; // the newest, so that a few shoppers with long histories are not all
const CACHE = new URL('../../.cache/bench/transfer/', import.meta.url).pathname;

// These logs have an order and no times, and `--init` goes on by days. So each shopper's rows are written as a visit on one of the days after
// the pack's end, and one shopper in three comes again for the last rows within the days that are held back for validation.
const FIRST_DAY = Date.UTC(2012, 0, 1) / 1_000;
const DAYS = 50;
const VALIDATION_DAYS = 10;
const COMES_AGAIN = 3;
const LAST_ROWS = 3;
/** Epochs of few rows are short, and from random weights the default warm-up would be most of them: as many steps as `--init` takes. */
const WARM_UP_STEPS = 20;
const PATIENCE = 5;
const SECONDS_PER_DAY = 86_400;
const SECONDS_PER_ROW = 60;
const KERNEL_BYTES = 2 ** 29;

/** Some rankers after a few rows of the shop, whose shoppers are none of those who are asked: `shelfwise train` makes the packs. */
export async function scoresAfterFewRows(shop: OtherShop): Promise<[string, (isOrdered: boolean) => Score][]> {
  const files = await writeFewRows(shop);
  const trained = async (kind: string, further: Partial<TrainOptions>): Promise<(isOrdered: boolean) => Score> => {
    const out = join(CACHE, `${shop.name}-${FEW_ROWS}-${kind}`);
    await runTrain({ ...files, ...further, without: ['demand'], out, name: kind, resume: true }, (line) => console.log(`${shop.name}, ${kind}: ${line}`));
    return openScores(out);
  };
  return [
    ['shop-en, its head trained on the rows', await genericScores(files)],
    ['online-retail, fine-tuned on the rows', await trained('fine-tuned', { init: 'models/online-retail', patience: PATIENCE })],
    ['trained on the rows alone', await trained('from-scratch', { warmUp: WARM_UP_STEPS, patience: PATIENCE })],
  ];
}

type FewRows = Pick<TrainOptions, 'interactions' | 'items' | 'encoder' | 'validationDays'>;

async function writeFewRows({ name, items, titles, others }: OtherShop): Promise<FewRows> {
  const histories: (readonly number[])[] = [];
  for (let rows = 0, at = 0; rows < FEW_ROWS && at < others.length; rows += histories.at(-1)!.length, at++) histories.push(others[at]!.slice(-ROWS_OF_A_SHOPPER));
  const lines = histories.flatMap((history, shopper) => {
    const share = shopper / histories.length;
    const again = shopper % COMES_AGAIN === 0 ? history.length - LAST_ROWS : history.length;
    return history.map((item, row) => {
      const day = row < again ? share * (DAYS - VALIDATION_DAYS) : DAYS - VALIDATION_DAYS * (1 - share);
      return `${shopper},${items[item]!},${FIRST_DAY + Math.floor(day) * SECONDS_PER_DAY + row * SECONDS_PER_ROW},view`;
    });
  });
  const folder = join(CACHE, `${name}-${FEW_ROWS}`);
  await mkdir(folder, { recursive: true });
  const interactions = join(folder, 'interactions.csv');
  const catalogue = join(folder, 'items.csv');
  await writeFile(interactions, `user,item,timestamp,event\n${lines.join('\n')}\n`);
  await writeFile(catalogue, `item,title\n${items.map((id, item) => `${id},"${titles[item]!.replaceAll('"', '""')}"`).join('\n')}\n`);
  return { interactions, items: catalogue, encoder: 'models/encoder-en', validationDays: VALIDATION_DAYS };
}

/** `shop-en` has no LSTM to go on from: what is fine-tuned is its head, over the features that any shop has. */
async function genericScores(files: FewRows): Promise<(isOrdered: boolean) => Score> {
  const { shop: read } = await readShop(files, (line) => console.log(line));
  const shop = { ...read, quantity: read.quantity.map(() => 1) }; // the imitated server orders by what sells
  const device = await createPlainDevice();
  // The first half of the days is for the imitated server to count what goes together, the second is asked.
  const days = { from: FIRST_DAY + (DAYS / 2) * SECONDS_PER_DAY, until: FIRST_DAY + DAYS * SECONDS_PER_DAY };
  const { head, tables } = await trainGenericHead(shop, days, createTrainingKernels({ maxBytes: KERNEL_BYTES }), device, DEFAULT_HEAD_TRAINING);
  const tensors = parseSafetensors(writeSafetensors([...head.tensors].map(([name, { shape, values }]) => [name, { dtype: 'F32', shape, values }] as const)));
  const ranker = new Ranker({ interest: null, head: new JointHead(tensors, { ...FEATURE_SCHEMA, names: GENERIC_FEATURES }, 0, device), tables, device });
  return (isOrdered) => scoreWith(ranker, [], isOrdered);
}
