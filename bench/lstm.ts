import { summarise, type BenchResult } from './harness.ts';
import { ROUNDS, withPages } from './pages.ts';

/** An LSTM of 64 units on our kernels and on the peers, and what it saves to keep a shopper's state. */
export async function lstm(): Promise<BenchResult> {
  return withPages(async (pages) => {
    console.log('LSTM 64, one step and 50 steps …');
    const step = await pages.measure('lstmStep', ROUNDS);
    const sequence = await pages.measure('lstmSequence', ROUNDS);
    const { advance, recompute } = await pages.measure('advanceOrRecompute', ROUNDS);
    const webgpu = await pages.measure('lstmOnWebgpu');
    const unit = 'ms';
    return {
      rows: [
        summarise({ name: 'LSTM 64, one step / tfjs-wasm', unit, ours: step.shelfwise, peer: step['tfjs-wasm'], goal: 0.04, aim: 0.02 }),
        summarise({ name: 'LSTM 64, one step / tf.layers', unit, ours: step.shelfwise, peer: step['tf.layers'] }),
        summarise({ name: 'LSTM 64, one step / onnxruntime-web', unit, ours: step.shelfwise, peer: step['onnxruntime-web'] }),
        summarise({ name: 'LSTM 64, 50 steps / tfjs-wasm', unit, ours: sequence.shelfwise, peer: sequence['tfjs-wasm'] }),
        summarise({ name: 'LSTM 64, 50 steps / tf.layers', unit, ours: sequence.shelfwise, peer: sequence['tf.layers'] }),
        summarise({ name: 'LSTM 64, 50 steps / onnxruntime-web', unit, ours: sequence.shelfwise, peer: sequence['onnxruntime-web'], goal: 0.65, aim: 0.4 }),
        summarise({ name: 'shipped LSTM, one more event / recomputing 50', unit, ours: advance, peer: recompute, goal: 1 / 30, aim: 1 / 45 }),
        summarise({ name: 'LSTM 64 on WebGPU, difference to the reference', unit: '', ours: [webgpu], goal: 1e-4 }),
      ],
      tables: [],
    };
  });
}
