import { AutoModel, env, Tensor } from '@huggingface/transformers';
import { startOnnxruntime } from './onnxruntime.ts';

/** A batch of texts that all have the same number of tokens. */
export interface TokenBatch {
  readonly texts: number;
  readonly tokens: number;
  /** [texts · tokens] */
  readonly ids: BigInt64Array;
}

/** Token ids to the last hidden state, [texts · tokens · hidden]. */
export type Encode = (batch: TokenBatch) => Promise<Float32Array>;

const MODEL = 'encoder-en';
const FILES = { fp32: 'model.onnx', q8: 'model_quantized.onnx' } as const;
export type Precision = keyof typeof FILES;

/** The pack's encoder in transformers.js, which brings a build of onnxruntime-web of its own. */
export async function startTransformers(precision: Precision): Promise<Encode> {
  env.allowLocalModels = true; // off in browsers unless asked for
  env.allowRemoteModels = false;
  env.localModelPath = '/hugging-face/';
  const { wasm } = env.backends.onnx;
  if (!wasm) throw new Error('transformers.js has no WebAssembly backend here.');
  wasm.numThreads = 1;
  wasm.wasmPaths = { mjs: '/onnxruntime/ort-wasm-simd-threaded.asyncify.mjs', wasm: '/onnxruntime/ort-wasm-simd-threaded.asyncify.wasm' };
  const model = await AutoModel.from_pretrained(MODEL, { dtype: precision, device: 'wasm' });
  return async ({ texts, tokens, ids }) => {
    const shape = [texts, tokens];
    const inputs = { input_ids: new Tensor('int64', ids, shape), ...sameForAll(ids.length, (values) => new Tensor('int64', values, shape)) };
    const { last_hidden_state } = (await model(inputs)) as { last_hidden_state: Tensor };
    return last_hidden_state.data as Float32Array;
  };
}

/** The same file in onnxruntime-web itself, whose plain WebAssembly build may be faster. */
export async function startOnnxEncoder(precision: Precision): Promise<Encode> {
  const ort = startOnnxruntime();
  const session = await ort.InferenceSession.create(`/hugging-face/${MODEL}/onnx/${FILES[precision]}`);
  return async ({ texts, tokens, ids }) => {
    const shape = [texts, tokens];
    const outputs = await session.run({ input_ids: new ort.Tensor('int64', ids, shape), ...sameForAll(ids.length, (values) => new ort.Tensor('int64', values, shape)) });
    return outputs['last_hidden_state']!.data as Float32Array;
  };
}

/** No padding, one segment. */
function sameForAll<T>(length: number, toTensor: (values: BigInt64Array) => T): { attention_mask: T; token_type_ids: T } {
  return { attention_mask: toTensor(new BigInt64Array(length).fill(1n)), token_type_ids: toTensor(new BigInt64Array(length)) };
}
