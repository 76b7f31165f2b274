import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import { createTransformersEncoder } from 'shelfwise/encoders/transformers';
import { startWorker } from 'shelfwise/worker';

// In float32 the vectors are the built-in encoder's, so the shelves look the same and the times can be compared.
startWorker({ encoder: () => createTransformersEncoder({ library: importTransformers, model: 'encoder-en', dtype: 'fp32' }) });

/** transformers.js with everything from the shop's own server; by default it asks a hub for models and a CDN for WebAssembly. */
async function importTransformers() {
  const transformers = await import('@huggingface/transformers');
  const { env } = transformers;
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = '/hugging-face/';
  if (env.backends.onnx.wasm) env.backends.onnx.wasm.wasmPaths = { wasm };
  return transformers;
}
