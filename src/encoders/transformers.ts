import type { ItemEncoder } from '../encoder/item-encoder.ts';
import { RecommenderError } from '../errors.ts';
import { nextTask } from '../lib/next-task.ts';

/** What is used of transformers.js; both `@huggingface/transformers` (3, 4) and `@xenova/transformers` (2.17) have it. */
export interface TransformersLibrary {
  readonly env: { readonly version?: string };
  pipeline(task: 'feature-extraction', model: string, options: TransformersLoadOptions): Promise<FeatureExtractor>;
}

interface TransformersLoadOptions {
  readonly dtype: TransformersDtype;
  readonly device?: TransformersDevice;
  /** Version 2's name for `dtype: 'q8'`; later versions leave it unread, as version 2 does with the two above. */
  readonly quantized: boolean;
}

interface FeatureExtractor {
  (texts: string[], options: { pooling: 'mean'; normalize: boolean }): Promise<{ readonly data: unknown; readonly dims: readonly number[] }>;
  readonly model: { readonly config: object };
}

/** Which of a model's files is loaded: `fp32` is `onnx/model.onnx`, `q8` is `onnx/model_quantized.onnx`. */
export type TransformersDtype = 'fp32' | 'fp16' | 'q8' | 'q4' | 'q4f16' | 'int8' | 'uint8';
export type TransformersDevice = 'wasm' | 'webgpu';

export interface TransformersEncoderOptions {
  /**
   * Imports transformers.js, once, when the encoder is first needed: `() => import('@huggingface/transformers')`, or
   * `'@xenova/transformers'`. This is also the place to set the library's `env`, for instance where your server keeps models.
   */
  readonly library: () => Promise<TransformersLibrary>;
  /** The model's name on the Hugging Face hub or below `env.localModelPath`; one that is meant for feature extraction. */
  readonly model: string;
  /**
   * Names the space of the vectors: 16 hex digits, chosen by whoever publishes the model, another for other weights. By default what
   * `config.json` says as `shelfwise_revision`, which `npm run export:hugging-face` writes.
   */
  readonly revision?: string;
  /** Default `q8`. Version 2 knows `fp32` and `q8`. */
  readonly dtype?: TransformersDtype;
  /** Default: what the library chooses, `wasm`. Version 2 knows only that. */
  readonly device?: TransformersDevice;
}

/** Texts that are encoded before other work gets its turn: 20 to 40 ms on one thread, as the built-in encoder's slices. */
const SLICE_TEXTS = 4;

/** The model reads 128 tokens; more text costs the library's tokenizer seconds where somebody is hostile. */
const MAX_CHARACTERS = 2_000;

/**
 * An encoder on transformers.js in place of the built-in one: `startWorker({ encoder: () => createTransformersEncoder(…) })`.
 * Texts become the mean of their tokens' last hidden states at unit length. A recommender pack serves only with an encoder of the
 * revision that it was trained with, so a model with weights of its own needs a pack trained with it. What the library fetches is
 * not in the ledger of `status()`.
 * @throws RecommenderError `PEER_MISSING` when the library cannot be imported, `PACK_UNAVAILABLE` when the model cannot be loaded,
 * `PACK_INVALID` when it gives no vectors, `INVALID_OPTIONS` when options and library or model contradict each other.
 */
export async function createTransformersEncoder({ library, model, revision, dtype = 'q8', device }: TransformersEncoderOptions): Promise<ItemEncoder> {
  const transformers = await importLibrary(library);
  if (isVersion2(transformers) && (device === 'webgpu' || (dtype !== 'fp32' && dtype !== 'q8'))) {
    throw new RecommenderError('INVALID_OPTIONS', "@xenova/transformers runs dtype 'fp32' or 'q8' on wasm; @huggingface/transformers runs the others.");
  }
  const extractor = await loadModel(transformers, model, { dtype, quantized: dtype !== 'fp32', ...(device !== undefined && { device }) });
  const read = 'shelfwise_revision' in extractor.model.config ? asUncasedBert : (text: string): string => text;
  const extract = async (texts: readonly string[]): Promise<Float32Array> => {
    const { data, dims } = await extractor(texts.map((text) => read(text.slice(0, MAX_CHARACTERS))), { pooling: 'mean', normalize: true });
    if (data instanceof Float32Array && dims.length === 2 && dims[0] === texts.length) return data;
    throw new RecommenderError('PACK_INVALID', `${model} gave [${dims.join(', ')}] for ${texts.length} texts instead of one vector each: choose a model for feature extraction.`);
  };
  const dimensions = (await runModel(model, () => extract(['']))).length;
  return {
    revision: agreedRevision(model, revision, extractor.model.config),
    dimensions,
    async encode(texts, { signal } = {}) {
      const vectors = new Float32Array(texts.length * dimensions);
      for (const slice of slicesByLength(texts)) {
        if (signal?.aborted) throw new RecommenderError('ABORTED', undefined, { cause: signal.reason });
        const values = await runModel(model, () => extract(slice.map((row) => texts[row]!))); // [slice, dimensions]
        slice.forEach((row, i) => vectors.set(values.subarray(i * dimensions, (i + 1) * dimensions), row * dimensions));
        await nextTask();
      }
      return vectors;
    },
  };
}

async function importLibrary(library: TransformersEncoderOptions['library']): Promise<TransformersLibrary> {
  try {
    return await library();
  } catch (cause) {
    throw new RecommenderError('PEER_MISSING', 'transformers.js could not be imported: install @huggingface/transformers or @xenova/transformers.', { cause });
  }
}

function isVersion2({ env }: TransformersLibrary): boolean {
  return env.version?.startsWith('2.') === true;
}

async function loadModel(transformers: TransformersLibrary, model: string, options: TransformersLoadOptions): Promise<FeatureExtractor> {
  try {
    return await transformers.pipeline('feature-extraction', model, options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RecommenderError('PACK_UNAVAILABLE', `transformers.js could not load ${model}: ${why} Its env says where models and WebAssembly files lie.`, { cause });
  }
}

async function runModel<T>(model: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof RecommenderError) throw cause;
    throw new RecommenderError('ENCODER_FAILED', `${model}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The model's own word on its weights counts; a caller who expects others is told. */
function agreedRevision(model: string, expected: string | undefined, config: object): string {
  const said: unknown = 'shelfwise_revision' in config ? config.shelfwise_revision : undefined;
  const revision = typeof said === 'string' ? said : expected;
  if (revision === undefined) throw new RecommenderError('INVALID_OPTIONS', `${model} does not say its shelfwise_revision: pass \`revision\`.`);
  if (expected !== undefined && revision !== expected) throw new RecommenderError('INVALID_OPTIONS', `${model} holds revision ${revision}, not ${expected}.`);
  return revision;
}

/** All accents off and no final sigma, as Hugging Face's Rust tokenizer reads for the exported encoder; version 2 leaves accents beyond Latin. */
function asUncasedBert(text: string): string {
  return text.normalize('NFD').replace(/\p{Mn}/gu, '').replaceAll('\u03a3', '\u03c3');
}

/** Row numbers, short texts first: a batch is padded to its longest. */
function* slicesByLength(texts: readonly string[]): Generator<number[]> {
  const order = texts.map((_, row) => row).sort((a, b) => texts[a]!.length - texts[b]!.length);
  for (let at = 0; at < order.length; at += SLICE_TEXTS) yield order.slice(at, at + SLICE_TEXTS);
}
