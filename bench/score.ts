import { summarise, type BenchResult } from './harness.ts';
import { HEADS } from './page/models.ts';
import { ROUNDS, withPages } from './pages.ts';

/** What it takes to score 500 candidates whose vectors are there. */
export async function score(): Promise<BenchResult> {
  return withPages(async (pages) => {
    console.log('dot products and heads on 500 rows …');
    const dots = await pages.measure('dotProducts', ROUNDS);
    const shipped = await pages.measure('scoreHead', 'shipped', ROUNDS);
    const wide = await pages.measure('scoreHead', 'wide', ROUNDS);
    const webgpu = await pages.measure('headOnWebgpu');
    const unit = 'ms';
    return {
      rows: [
        summarise({ name: 'dot products 500 x 384 / tfjs-wasm', unit, ours: dots.shelfwise, peer: dots['tfjs-wasm'], goal: 0.2, aim: 0.1 }),
        ...Object.entries({ [`shipped head ${HEADS.shipped.join('-')}`]: shipped, [`head ${HEADS.wide.join('-')}`]: wide }).flatMap(([head, times]) => [
          summarise({ name: `${head} on 500 rows / tfjs-wasm`, unit, ours: times.shelfwise, peer: times['tfjs-wasm'], goal: 0.8, aim: 0.5 }),
          summarise({ name: `${head} on 500 rows / onnxruntime-web`, unit, ours: times.shelfwise, peer: times['onnxruntime-web'], goal: 0.8, aim: 0.5 }),
        ]),
        summarise({ name: 'shipped head on WebGPU, difference to the reference', unit: '', ours: [webgpu], goal: 1e-4 }),
      ],
      tables: [],
    };
  });
}
