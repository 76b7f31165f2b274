import { fetchTitles } from './demo-catalogue.ts';
import { quantile, summarise, type BenchResult } from './harness.ts';
import { ROUNDS, withPages } from './pages.ts';

const TITLES = 500;

/** The shipped text encoder at 16 tokens a text, beside the same weights in onnxruntime-web and tfjs. */
export async function encoder(): Promise<BenchResult> {
  return withPages(async (pages) => {
    console.log('the shipped encoder in int8, batch 1 and 32 …');
    const one = await pages.measure('encodeBatch', 'int8', 1, ROUNDS);
    const many = await pages.measure('encodeBatch', 'int8', 32, ROUNDS);
    console.log('in float32 …');
    const float = await pages.measure('encodeBatch', 'f32', 1, ROUNDS);
    const tfjs = await pages.measure('encodeOnTfjs', 1, ROUNDS);
    console.log(`int8 against float32 arithmetic on ${TITLES} titles; WebGPU against the reference …`);
    const cosines = await pages.measure('compareArithmetic', await fetchTitles(pages.address, TITLES));
    const webgpu = await pages.measure('encoderOnWebgpu');
    const unit = 'ms';
    const peers = ['onnxruntime-web', 'transformers.js'] as const;
    return {
      rows: [
        ...peers.map((peer) => summarise({ name: `encoder int8, batch 1 / ${peer} q8`, unit, ours: one.shelfwise, peer: one[peer], goal: 0.75, aim: 0.55 })),
        ...peers.map((peer) => summarise({ name: `encoder int8, batch 32 / ${peer} q8`, unit, ours: many.shelfwise, peer: many[peer], goal: 1, aim: 0.8 })),
        summarise({ name: 'encoder f32, batch 1 / tfjs-wasm', unit, ours: tfjs.shelfwise, peer: tfjs['tfjs-wasm'], goal: 0.55, aim: 0.4 }),
        ...peers.map((peer) => summarise({ name: `encoder f32, batch 1 / ${peer} f32`, unit, ours: float.shelfwise, peer: float[peer], goal: 0.75, aim: 0.55 })),
        summarise({ name: `int8 against f32 arithmetic, cosine of ${TITLES} titles: mean`, unit: '', ours: [cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length], goal: 0.999, bound: 'least' }),
        summarise({ name: 'int8 against f32 arithmetic, cosine: lowest', unit: '', ours: [quantile(cosines, 0)] }),
        ...(webgpu === null ? [] : [summarise({ name: 'encoder on WebGPU, difference to the reference', unit: '', ours: [webgpu], goal: 1e-4 })]),
      ],
      tables: [],
    };
  });
}
