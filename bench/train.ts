import { openTrainingKernels } from '../src/compute/open-training-kernels.ts';
import type { TrainingKernels } from '../src/compute/training-kernels.ts';
import { InterestNetwork } from '../src/learn/interest-network.ts';
import { cutIntoChunks } from '../src/learn/lanes.ts';
import { clipGradients, stepAdamW } from '../src/learn/parameters.ts';
import { createRandom } from '../src/lib/random.ts';
import { summarise, type BenchResult } from './harness.ts';
import { ROUNDS, withPages } from './pages.ts';

/** One step of training the interest LSTM, as the browser would do it, and what a second thread of Node saves. */
export async function train(): Promise<BenchResult> {
  const threads = await trainOnThreads();
  return withPages(async (pages) => {
    console.log('a training step: LSTM 64, batch 64, length 20, 256 sampled items …');
    const { shelfwise, 'tfjs-wasm': tfjs } = await pages.measure('trainStep', ROUNDS);
    const step = summarise({ name: 'training step / tfjs-wasm (items read by one-hot products)', unit: 'ms', ours: shelfwise, peer: tfjs, goal: 0.15, aim: 0.06 });
    return { rows: [step, threads], tables: [] };
  });
}

const STEPS_A_ROUND = 3;

/** A step on a catalogue of MovieLens's size, two threads and one in turn within each round. */
async function trainOnThreads(): Promise<BenchResult['rows'][number]> {
  console.log('a training step in Node: LSTM 128, 64 x 16 events, 3,416 items, two threads and one …');
  const [two, one] = await Promise.all([2, 1].map((threads) => openTrainingKernels({ threads })));
  const [ours, peer] = [two!, one!].map((kernels) => ({ step: interestStep(kernels), times: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { step, times } of [ours!, peer!]) {
      if (round === 0) step();
      const start = performance.now();
      for (let count = 0; count < STEPS_A_ROUND; count++) step();
      times.push((performance.now() - start) / STEPS_A_ROUND);
    }
  }
  await two!.close();
  return summarise({ name: 'training step in Node, two threads / one', unit: 'ms', ours: ours!.times, peer: peer!.times });
}

function interestStep(kernels: TrainingKernels): () => void {
  const items = 3_416;
  const random = createRandom(1);
  const shape = { model: { kind: 'lstm' }, items, text: 0, cosine: 0, embedding: 128, hidden: 128, lanes: 64, steps: 16 } as const;
  const catalogue = { textVectors: new Float32Array(0), priceQuantiles: new Float32Array(101), itemCounts: new Int32Array(items).fill(1) };
  const network = new InterestNetwork(shape, catalogue, { kind: 'softmax' }, kernels, random);
  function* streams() {
    for (;;) {
      const length = 200;
      yield { item: Int32Array.from({ length }, () => random.integer(items)), kind: new Uint8Array(length), gap: new Float32Array(length).fill(60), price: new Float32Array(length).fill(NaN), weight: new Float32Array(length).fill(1), label: null };
    }
  }
  const chunks = cutIntoChunks(streams(), shape.lanes, shape.steps);
  let step = 0;
  return () => {
    network.learn(chunks.next().value!, random, { inputDropout: 0.2, hiddenDropout: 0.3, residualDropout: 0, kindWeight: 0.1, daysWeight: 0 });
    clipGradients(kernels, network.parameters, 1);
    stepAdamW(kernels, network.parameters, { step: ++step, learningRate: 1e-3, weightDecay: 0.01 });
  };
}
