import { summarise, type BenchResult } from './harness.ts';
import { ROUNDS, withPages } from './pages.ts';

/** One step of training the interest LSTM, as the browser would do it. */
export async function train(): Promise<BenchResult> {
  return withPages(async (pages) => {
    console.log('a training step: LSTM 64, batch 64, length 20, 256 sampled items …');
    const { shelfwise, 'tfjs-wasm': tfjs } = await pages.measure('trainStep', ROUNDS);
    return { rows: [summarise({ name: 'training step / tfjs-wasm (items read by one-hot products)', unit: 'ms', ours: shelfwise, peer: tfjs, goal: 0.15, aim: 0.06 })], tables: [] };
  });
}
