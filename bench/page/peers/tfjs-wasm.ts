// What `@tensorflow/tfjs` adds to the core: methods on tensors, which tf.layers calls, and the gradients of training.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

/** tfjs as its documentation advises for serving: production mode, the WebAssembly backend with SIMD, its binary beside the page. */
export async function startTfjsWasm(): Promise<typeof tf> {
  tf.enableProdMode();
  setWasmPaths('/tfjs-wasm/');
  await tf.setBackend('wasm');
  if (tf.getBackend() !== 'wasm') throw new Error(`tfjs runs on ${tf.getBackend()}.`);
  if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('tfjs found no SIMD.');
  return tf;
}
