import type { Candidate } from '../../src/index.ts';
import type { HeadName } from './models.ts';
import type { Arithmetic } from './our-device.ts';

/** What Node's side of the benches may run in the page; each is fetched when it is wanted. */
const page = {
  lstmStep: async (rounds: number) => (await import('./lstm.ts')).lstmStep(rounds),
  lstmSequence: async (rounds: number) => (await import('./lstm.ts')).lstmSequence(rounds),
  advanceOrRecompute: async (rounds: number) => (await import('./lstm.ts')).advanceOrRecompute(rounds),
  lstmOnWebgpu: async () => (await import('./lstm.ts')).lstmOnWebgpu(),
  dotProducts: async (rounds: number) => (await import('./score.ts')).dotProducts(rounds),
  scoreHead: async (head: HeadName, rounds: number) => (await import('./score.ts')).scoreHead(head, rounds),
  headOnWebgpu: async () => (await import('./score.ts')).headOnWebgpu(),
  encodeBatch: async (arithmetic: Arithmetic, texts: number, rounds: number) => (await import('./encoder.ts')).encodeBatch(arithmetic, texts, rounds),
  encodeOnTfjs: async (texts: number, rounds: number) => (await import('./encoder.ts')).encodeOnTfjs(texts, rounds),
  compareArithmetic: async (titles: readonly string[]) => (await import('./encoder.ts')).compareArithmetic(titles),
  encoderOnWebgpu: async () => (await import('./encoder.ts')).encoderOnWebgpu(),
  rerankInWorkers: async (candidates: readonly Candidate[], rounds: number) => (await import('./slates.ts')).rerankInWorkers(candidates, rounds),
  compareSlates: async (candidates: readonly Candidate[], shoppers: number) => (await import('./slates.ts')).compareSlates(candidates, shoppers),
  storeTimes: async (rounds: number) => (await import('./store.ts')).storeTimes(rounds),
  trainStep: async (rounds: number) => (await import('./train.ts')).trainStep(rounds),
};

declare global {
  var bench: typeof page;
}

globalThis.bench = page;
