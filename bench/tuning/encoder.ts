import { join } from 'node:path';
import { openEncoder } from '../../src/cli/encoder.ts';
import { runTuneEncoder, type TuneEncoderOptions } from '../../src/cli/tune-encoder.ts';
import { readVisits } from '../../src/cli/visits.ts';
import { estimate } from '../../src/evaluate/bootstrap.ts';
import { drawTextQueries, rankByText, type TextQuery } from '../../src/learn/encoder-tuning/text-ranking.ts';
import { DEFAULT_ENCODER_TUNING } from '../../src/learn/encoder-tuning/tune-encoder.ts';
import { createRandom } from '../../src/lib/random.ts';
import { createBaskets } from '../../src/rank/simple/baskets.ts';
import { summarise, type BenchResult, type BenchRow, type BenchTableCell } from '../harness.ts';
import { hasPublicData, loadLeaveOneOut, loadTexts } from '../public-data.ts';
import { ONLINE_RETAIL } from '../quality/online-retail.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const OTHER_SHOP = 'amazon_games_2018';
/** One shopper of the other shop in so many is asked, and its catalogue is what they took. */
const OTHER_ONE_IN = 100;
const OTHER_CONTEXT = 5;
const QUERIES = 2_000;
const METHODS = (process.env.BENCH_METHODS ?? 'lora:8,last-layer').split(',').filter((method) => method !== '');
/** Folders of encoders that are judged, too. */
const PACKS = (process.env.BENCH_PACKS ?? '').split(',').filter((folder) => folder !== '');
/** Of tuning; fewer for a first look. */
const EPOCHS = Number(process.env.BENCH_EPOCHS ?? DEFAULT_ENCODER_TUNING.epochs);

interface Shop {
  readonly name: string;
  readonly titles: readonly string[];
  readonly queries: readonly TextQuery[];
}

/** Text alone, on the shop that the encoder was tuned for and on one that it knows nothing of: NDCG@10, and the cosine to the untuned vectors. */
export async function encoderTable(): Promise<BenchResult> {
  const shops = [...(await november()), ...(await otherShop())];
  const untuned = await vectorsOf(ONLINE_RETAIL.encoder, shops);
  const rows: BenchRow[] = [];
  const tables: BenchTableCell[] = [];
  const note = (name: string, vectors: readonly Float32Array[]): void => {
    shops.forEach(({ name: shop, queries, titles }, at) => {
      const size = vectors[at]!.length / titles.length;
      const [was, is] = [untuned[at]!, vectors[at]!].map((own) => rankByText(own, size, queries)) as [Float64Array, Float64Array];
      const cell = (metric: string, values: Float64Array): void => {
        tables.push({ task: `text alone, ${shop}`, ranker: name, metric, ...estimate(queries.map(({ customer }, query) => ({ customer, value: values[query]! }))) });
      };
      cell('NDCG@10', is);
      cell('gain, paired', is.map((value, query) => value - was[query]!));
      if (name !== 'untuned') rows.push(summarise({ name: `encoder, ${name}: cosine to the untuned vectors, ${shop}`, unit: '', ours: [vectors[at]!.reduce((sum, value, k) => sum + value * untuned[at]![k]!, 0) / titles.length] }));
    });
  };
  note('untuned', untuned);
  for (const folder of PACKS) note(folder, await vectorsOf(folder, shops));
  for (const method of METHODS) {
    const out = join(ROOT, 'build', `tuned-encoder-${method.replace(':', '-')}`);
    const options: TuneEncoderOptions = { ...ONLINE_RETAIL, out, method, epochs: EPOCHS };
    const { parameters, minutes } = await runTuneEncoder(options, console.log);
    rows.push(summarise({ name: `encoder, ${method}: numbers trained`, unit: '', ours: [parameters] }), summarise({ name: `encoder, ${method}: time`, unit: 'minutes', ours: [minutes] }));
    note(method, await vectorsOf(out, shops));
  }
  return { rows, tables };
}

/** November's visits to the shop that the encoder was tuned for until then, and of them those whose item is new. */
async function november(): Promise<Shop[]> {
  const { items, training, validation } = await readVisits({ ...ONLINE_RETAIL, until: '2011-12-01', validationDays: 30 });
  const queries = drawTextQueries(validation, QUERIES, createRandom(2));
  const seen = new Set(training.items);
  return [
    { name: 'Online Retail', titles: items.titles, queries },
    { name: 'Online Retail, new items', titles: items.titles, queries: queries.filter(({ target }) => !seen.has(target)) },
  ];
}

/** The last item of shoppers of another shop, after the five before it. */
async function otherShop(): Promise<Shop[]> {
  if (!hasPublicData(OTHER_SHOP)) {
    console.log(`Skipped: ${OTHER_SHOP} is not there.`);
    return [];
  }
  const { items, queries } = await loadLeaveOneOut(OTHER_SHOP, 'test');
  const asked = queries.filter(({ customer }) => customer % OTHER_ONE_IN === 0).map(({ session, target, customer }) => ({ customer, items: [...session.slice(-OTHER_CONTEXT), target] }));
  const numbers = new Map([...new Set(asked.flatMap((one) => one.items))].map((item, number) => [item, number]));
  const baskets = createBaskets(asked.map(({ customer, items: own }) => ({ user: customer, time: 0, items: own.map((item) => numbers.get(item)!) })));
  const texts = await loadTexts(OTHER_SHOP, [...numbers.keys()].map((item) => items[item]!));
  const titles = texts.map((text) => text.replace(/\. $/, '')); // without a category
  const all = Array.from(baskets.user, (customer, basket) => ({ customer, own: [...baskets.items.subarray(baskets.offsets[basket], baskets.offsets[basket + 1])] }));
  return [{ name: OTHER_SHOP, titles, queries: all.map(({ customer, own }) => ({ customer, context: own.slice(0, -1), target: own.at(-1)! })) }];
}

/** Vectors of each shop's titles; shops with one catalogue share them. */
async function vectorsOf(pack: string, shops: readonly Shop[]): Promise<Float32Array[]> {
  const { encoder, device } = await openEncoder(pack);
  const known = new Map<readonly string[], Float32Array>();
  const vectors: Float32Array[] = [];
  for (const { titles } of shops) {
    const own = known.get(titles) ?? (await encoder.encode(titles));
    known.set(titles, own);
    vectors.push(own);
  }
  encoder.dispose();
  device.dispose();
  return vectors;
}
