import * as ort from 'onnxruntime-web/wasm';

/** onnxruntime-web as its documentation advises for the CPU: the plain WebAssembly build with SIMD, bundled; one thread, as all have here. */
export function startOnnxruntime(): typeof ort {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  return ort;
}
