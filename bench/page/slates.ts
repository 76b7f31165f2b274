import { createRecommender, type Candidate, type Recommender } from '../../src/index.ts';
import { fetchBytes } from '../../src/packs/fetch-bytes.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createEngine } from '../../src/worker/engine.ts';
import type { Engine } from '../../src/worker/protocol.ts';
import { createOurDevice, type Arithmetic } from './our-device.ts';
import { timeRounds, type Contender, type Times } from './rounds.ts';

const PACK = '/models/online-retail/pack.json';
/** Long enough that no slate is cut short: what is measured is the whole work. */
const PATIENCE_MS = 240_000;
const VIEWED = 5;
const TOP = 20;
/** Ours may serve in int8 arithmetic, tfjs in float32: of the first places some may change hands, not many. */
const LEAST_OVERLAP = 0.9;

/** The same page, the same protocol, the same engine in two workers: on our kernels and on tfjs-wasm; all vectors are cached. */
export async function rerankInWorkers(candidates: readonly Candidate[], rounds: number): Promise<Times<'shelfwise' | 'tfjs-wasm'>> {
  const ours = await startShopper(candidates, () => new Worker(new URL('./shelfwise.worker.ts', import.meta.url), { type: 'module' }));
  const theirs = await startShopper(candidates, () => new Worker(new URL('./tfjs.worker.ts', import.meta.url), { type: 'module' }));
  try {
    return await timeRounds(
      { shelfwise: slateOf(ours, candidates), 'tfjs-wasm': slateOf(theirs, candidates) },
      { rounds, tolerance: 1 - LEAST_OVERLAP, distance: (a, b) => 1 - overlap(a, b) },
    );
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
  }
}

/** Overlap of the first 20 of all candidates in int8 and in float32 arithmetic, one value for each of some shoppers. */
export async function compareSlates(candidates: readonly Candidate[], shoppers: number): Promise<number[]> {
  const tops = await Promise.all((['int8', 'f32'] as const).map((arithmetic) => topsOf(candidates, shoppers, arithmetic)));
  return tops[0]!.map((top, shopper) => overlap(top, tops[1]![shopper]!));
}

/** The server positions that each shopper's slate begins with; one engine, in this thread, whose data are erased between shoppers. */
async function topsOf(candidates: readonly Candidate[], shoppers: number, arithmetic: Arithmetic): Promise<Float32Array[]> {
  const options = { pack: new URL(PACK, location.href).href, device: 'wasm', consent: 'session', partition: 'bench', database: 'bench' } as const;
  const engine = createEngine(options, {
    now: Date.now,
    emit: (type, detail) => {
      if (type === 'fallback') console.error(detail);
    },
    openStore: () => Promise.resolve(createMemoryStore()),
    readBytes: fetchBytes,
    ledger: () => [],
    isWriter: () => false,
    devices: { wasm: () => createOurDevice(arithmetic) },
  });
  try {
    const tops: Float32Array[] = [];
    for (let shopper = 0; shopper < shoppers; shopper++) tops.push(await topOf(engine, candidates, shopper));
    return tops;
  } finally {
    await engine.close();
  }
}

async function topOf(engine: Engine, candidates: readonly Candidate[], shopper: number): Promise<Float32Array> {
  // A new visit: consent that changes starts with an empty store, and vectors stay.
  await engine.setConsent('denied');
  await engine.setConsent('session');
  const viewed = Array.from({ length: VIEWED }, (_, at) => candidates[(shopper * 31 + at * 7) % candidates.length]!);
  await engine.track(viewed.map((item, at) => ({ id: `${shopper}-${at}`, event: { type: 'view', item, time: Date.now() } })));
  const { ranked, complete } = await engine.rerank(candidates, { limit: TOP, deadlineMs: PATIENCE_MS });
  if (!complete) throw new Error('The engine did not rank every candidate.');
  return Float32Array.from(ranked.serverPositions);
}

/** A shopper with consent and a few clicks, all candidates' vectors cached. */
async function startShopper(candidates: readonly Candidate[], worker: () => Worker): Promise<Recommender> {
  const recommender = createRecommender({ pack: PACK, worker, device: 'wasm', consent: 'session' });
  const start = performance.now();
  while ((await recommender.rerank(candidates.slice(0, VIEWED), { deadlineMs: PATIENCE_MS })).ranker !== 'device') {
    if (performance.now() - start > PATIENCE_MS) throw new Error('The device never ranked.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const item of candidates.slice(0, VIEWED)) await recommender.track({ type: 'view', item });
  await recommender.rerank(candidates, { deadlineMs: PATIENCE_MS });
  return recommender;
}

/** One slate from call to answer -> the server positions it begins with. */
function slateOf(recommender: Recommender, candidates: readonly Candidate[]): Contender {
  return async () => {
    const { ranker, complete, items } = await recommender.rerank(candidates, { deadlineMs: PATIENCE_MS });
    if (ranker !== 'device' || !complete) throw new Error('The device did not rank every candidate.');
    return Float32Array.from(items.slice(0, TOP), ({ serverPosition }) => serverPosition);
  };
}

/** Share of the first list that is in the second. */
function overlap(a: Float32Array, b: Float32Array): number {
  return a.filter((position) => b.includes(position)).length / a.length;
}
