import { createWasmDevice } from '../../../src/compute/wasm/device.ts';
import { createDistilledEncoder } from '../../../src/encoder/distilled-encoder.ts';
import type { ItemEncoder } from '../../../src/encoder/item-encoder.ts';
import { createTransformersEncoder, type TransformersLibrary } from '../../../src/encoders/transformers.ts';
import { fetchBytes } from '../../../src/packs/fetch-bytes.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';

/** Each library as npm delivers it for pages, and its own WebAssembly files. */
const LIBRARIES = {
  '@xenova/transformers': { address: '/node_modules/@xenova/transformers/dist/transformers.min.js', wasmPaths: '/node_modules/@xenova/transformers/dist/' },
  '@huggingface/transformers': {
    address: '/node_modules/@huggingface/transformers/dist/transformers.min.js',
    wasmPaths: { wasm: '/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm' },
  },
};
type LibraryName = keyof typeof LIBRARIES;

/** What the libraries let a page choose. */
interface Configurable extends TransformersLibrary {
  readonly env: TransformersLibrary['env'] & {
    allowRemoteModels: boolean;
    allowLocalModels: boolean;
    localModelPath: string;
    useBrowserCache: boolean;
    readonly backends: { readonly onnx: { readonly wasm: { wasmPaths: unknown; numThreads: number } } };
  };
}

async function importLibrary(name: LibraryName): Promise<Configurable> {
  const { address, wasmPaths } = LIBRARIES[name];
  const library = (await import(/* @vite-ignore */ address)) as Configurable;
  const { env } = library;
  Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: '/build/hugging-face/', useBrowserCache: false });
  Object.assign(env.backends.onnx.wasm, { wasmPaths, numThreads: 1 });
  return library;
}

let ours: Promise<ItemEncoder> | undefined;

async function loadOurs(): Promise<ItemEncoder> {
  return createDistilledEncoder(await loadPack('/models/encoder-en/pack.json', fetchBytes), await createWasmDevice({ kernel: 'f32-relaxed' }));
}

const transformersPage = {
  /** Cosine of each text's vector in a library to our own encoder's. */
  async compare(name: LibraryName, dtype: 'fp32' | 'q8', texts: readonly string[]): Promise<{ version: string; revision: string; ourRevision: string; cosines: number[] }> {
    const own = await (ours ??= loadOurs());
    let version = '';
    const library = async (): Promise<Configurable> => {
      const imported = await importLibrary(name);
      version = imported.env.version ?? '';
      return imported;
    };
    const theirs = await createTransformersEncoder({ library, model: 'encoder-en', dtype });
    const [a, b] = [await own.encode(texts), await theirs.encode(texts)];
    const { dimensions } = own;
    const dot = (row: number): number => a.subarray(row * dimensions, (row + 1) * dimensions).reduce((sum, value, i) => sum + value * b[row * dimensions + i]!, 0);
    return { version, revision: theirs.revision, ourRevision: own.revision, cosines: texts.map((_, row) => dot(row)) };
  },

  /** The error's code and message for a model that is not there. */
  async loadMissing(name: LibraryName): Promise<string> {
    return createTransformersEncoder({ library: () => importLibrary(name), model: 'no-such-model' }).then(
      () => 'loaded',
      (error: unknown) => String(error),
    );
  },
};

declare global {
  interface Window {
    transformersPage: typeof transformersPage;
  }
}

window.transformersPage = transformersPage;
