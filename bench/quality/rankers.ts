import type { Candidate } from '../../src/types.ts';
import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import { createWasmDevice } from '../../src/compute/wasm/device.ts';
import { DEPTH } from '../../src/evaluate/metrics.ts';
import { readFileBytes } from '../../src/packs/read-file-bytes.ts';
import { FEATURE_COUNT } from '../../src/rank/features.ts';
import { FEATURE_NAMES } from '../../src/rank/feature-schema.ts';
import type { ShopperEvent } from '../../src/rank/shopper-view.ts';
import { createItemKnn, countCooccurrence } from '../../src/rank/simple/item-knn.ts';
import { createMarkov, countTransitions } from '../../src/rank/simple/markov.ts';
import { createPersonalFrequency } from '../../src/rank/simple/personal-frequency.ts';
import { createRecentPopularity } from '../../src/rank/simple/popularity.ts';
import { createSequentialRules, countSequentialRules } from '../../src/rank/simple/sequential-rules.ts';
import { BEHAVIOUR_WEIGHTS, type SimpleRanker } from '../../src/rank/simple/simple-ranker.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createEngine } from '../../src/worker/engine.ts';
import type { EngineEnvironment } from '../../src/worker/environment.ts';
import { loadModels, type Models } from '../../src/worker/models.ts';
import type { TrackedEvent } from '../../src/worker/protocol.ts';
import type { Line, QualityData, TestInvoice } from './protocol.ts';

/** One shopper's visit, from one ranker's side. */
export interface RankerSession {
  /** The next line of the invoice goes into the basket. */
  add(line: Line): Promise<void>;
  /** Places in `candidates` of the best DEPTH, best first. */
  rank(candidates: readonly Candidate[]): Promise<readonly number[]>;
  close(): Promise<void>;
}

export interface QualityRanker {
  readonly name: string;
  open(invoice: TestInvoice): Promise<RankerSession>;
}

/** The server's own order, whoever asks. */
export function serverOrder(): QualityRanker {
  const session: RankerSession = {
    add: () => Promise.resolve(),
    rank: (candidates) => Promise.resolve(Array.from({ length: Math.min(DEPTH, candidates.length) }, (_, place) => place)),
    close: () => Promise.resolve(),
  };
  return { name: 'server order', open: () => Promise.resolve(session) };
}

/** Every counted ranker with its whole tables, ties by what sold in the last seven days. */
function simpleRankers({ products, indexOf, past, all }: QualityData): QualityRanker[] {
  const items = products.length;
  const popular = createRecentPopularity(all);
  const rankers = [
    popular,
    createPersonalFrequency(items),
    createSequentialRules(countSequentialRules(past, items)),
    createMarkov(countTransitions(past, items)),
    createItemKnn(countCooccurrence(past, items)),
  ];
  return rankers.map((ranker) => ({ name: ranker.name, open: (invoice) => Promise.resolve(simpleSession(ranker, popular, indexOf, items, invoice)) }));
}

function simpleSession(ranker: SimpleRanker, popular: SimpleRanker, indexOf: ReadonlyMap<string, number>, items: number, invoice: TestInvoice): RankerSession {
  const session: { item: number; weight: number }[] = [];
  const history = invoice.history.flatMap(({ time, lines }) => lines.map(({ product }) => ({ item: product, weight: BEHAVIOUR_WEIGHTS.purchase, time })));
  const scores = new Float32Array(items);
  const ties = new Float32Array(items);
  return {
    add: ({ product }) => {
      session.push({ item: product, weight: BEHAVIOUR_WEIGHTS.cart });
      return Promise.resolve();
    },
    rank: (candidates) => {
      const context = { session, history, now: invoice.time };
      ranker.score(context, scores);
      popular.score(context, ties);
      return Promise.resolve(best(candidates, (id) => scores[indexOf.get(id)!]!, (id) => ties[indexOf.get(id)!]!));
    },
    close: () => Promise.resolve(),
  };
}

/** A recommender pack served by the very engine that runs in the worker. */
export async function packModels(folder: string): Promise<Models> {
  return loadModels({ pack: `${folder}/pack.json`, device: 'wasm' }, environmentAt(() => 0), {
    report: (error) => {
      throw error;
    },
  });
}

const SHIPPED = new URL('../../models/online-retail', import.meta.url).pathname;

/** Every counted ranker, the titles alone, and the shipped pack: its interest LSTM alone and as a whole (`full`). */
export async function shippedRankers(data: QualityData): Promise<QualityRanker[]> {
  const models = await packModels(SHIPPED);
  await models.vectors.enqueue(data.products.map(({ title }) => title));
  return [...simpleRankers(data), textRanker(models, data.products), lstmRanker(SHIPPED, models, data.products), engineRanker('full', SHIPPED, models, data.products)];
}

/** Ours: behaviours tracked, candidates re-ranked, through `worker/engine`. */
export function engineRanker(name: string, folder: string, models: Models, products: QualityData['products']): QualityRanker {
  return { name, open: (invoice) => engineSession(folder, models, products, invoice, 'rerank') };
}

/** p(next) of the interest LSTM alone, through `worker/engine`. */
function lstmRanker(folder: string, models: Models, products: QualityData['products']): QualityRanker {
  return { name: 'LSTM only', open: (invoice) => engineSession(folder, models, products, invoice, 'predictNext') };
}

async function engineSession(folder: string, models: Models, products: QualityData['products'], invoice: TestInvoice, by: 'rerank' | 'predictNext'): Promise<RankerSession> {
  const options = { pack: `${folder}/pack.json`, device: 'wasm', consent: 'session', partition: 'bench', database: 'bench' } as const;
  const engine = createEngine(options, environmentAt(() => invoice.time * 1_000), { models: Promise.resolve(models) });
  let events = 0;
  const event = ({ product, price }: Line, type: 'purchase' | 'cart', time: number): TrackedEvent => {
    const { id, title } = products[product]!;
    return { id: `${++events}`, event: { type, item: { id, title, price }, time: time * 1_000 } };
  };
  await engine.track(invoice.history.flatMap(({ time, lines }) => lines.map((line) => event(line, 'purchase', time))));
  return {
    add: async (line) => {
      await engine.track([event(line, 'cart', invoice.time)]);
    },
    rank: async (candidates) => {
      if (by === 'rerank') return [...(await engine.rerank(candidates, { limit: DEPTH, deadlineMs: Infinity })).ranked.serverPositions];
      const probabilities = new Map((await engine.predictNext(candidates)).map(({ id, probability }) => [String(id), probability]));
      return best(candidates, (id) => probabilities.get(id) ?? 0, () => 0);
    },
    close: () => engine.close(),
  };
}

/** Soft-max pooled similarity of the titles, with no other signal. */
function textRanker(models: Models, products: QualityData['products']): QualityRanker {
  const column = FEATURE_NAMES.indexOf('textAffinity');
  const vectors = new Map(models.vectors.vectorsOf(products).map((vector, product) => [products[product]!.id, vector!]));
  const vector = (product: number): Float32Array => vectors.get(products[product]!.id)!;
  const eventOf = ({ product }: Line, kind: 'purchase' | 'cart', time: number): ShopperEvent => ({
    itemId: products[product]!.id,
    index: models.indexOf(products[product]!.id),
    kind,
    time,
    pricePosition: null,
    textVector: vector(product),
  });
  return {
    name: 'text only',
    async open({ history, time }) {
      const events = history.flatMap((earlier) => earlier.lines.map((line) => eventOf(line, 'purchase', earlier.time)));
      const state = await models.ranker.initialState();
      return {
        add: (line) => {
          events.push(eventOf(line, 'cart', time));
          return Promise.resolve();
        },
        async rank(candidates) {
          const prepared = await models.ranker.prepare({ events, state }, time);
          const views = candidates.map((candidate) => ({
            id: String(candidate.id),
            index: -1,
            textVector: vectors.get(String(candidate.id))!,
            pricePosition: null,
            demandForecast: null,
            lastWeek: null,
            lastFourWeeks: null,
            serverPosition: null,
          }));
          const features = await models.ranker.features(prepared, views);
          return bestPlaces(views.map((_, place) => features[place * FEATURE_COUNT + column]!), () => 0);
        },
        close: () => Promise.resolve(),
      };
    },
  };
}

function environmentAt(now: () => number): EngineEnvironment {
  return {
    now,
    emit(type, detail) {
      if (type === 'fallback') throw new Error(`The engine fell back: ${JSON.stringify(detail)}`);
    },
    openStore: () => Promise.resolve(createMemoryStore()),
    readBytes: readFileBytes,
    ledger: () => [],
    isWriter: () => false,
    devices: { wasm: () => createWasmDevice(), reference: () => Promise.resolve(createReferenceDevice()) },
  };
}

function best(candidates: readonly Candidate[], score: (id: string) => number, tie: (id: string) => number): number[] {
  return bestPlaces(candidates.map(({ id }) => score(String(id))), (place) => tie(String(candidates[place]!.id)));
}

function bestPlaces(scores: readonly number[], tie: (place: number) => number): number[] {
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || tie(b) - tie(a) || a - b).slice(0, DEPTH);
}
