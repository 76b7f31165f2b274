import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { shopServer } from '../../demo/server/vite-plugins.ts';
import { ensureHuggingFaceLayout } from '../../scripts/hugging-face/write-layout.ts';
import { coldOnnx, coldSafetensors } from '../cold-model.ts';
import { headModel, lstmModel } from '../onnx-models.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const outDir = join(root, 'build/bench');

/** The build of onnxruntime-web that transformers.js fetches from a CDN unless it is told where else. */
const ONNXRUNTIME = ['ort-wasm-simd-threaded.asyncify.mjs', 'ort-wasm-simd-threaded.asyncify.wasm'];

/** Puts what pages and peers fetch beside them: packs, the peers' WebAssembly, the same weights as ONNX. */
function assets(): Plugin {
  return {
    name: 'bench-assets',
    async writeBundle() {
      const copy = (from: string, to: string): void => cpSync(join(root, from), join(outDir, to), { recursive: true });
      const write = (to: string, bytes: Uint8Array): void => {
        mkdirSync(join(outDir, to, '..'), { recursive: true });
        writeFileSync(join(outDir, to), bytes);
      };
      copy('models', 'models');
      copy('node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm', 'tfjs-wasm/tfjs-backend-wasm-simd.wasm');
      for (const file of ONNXRUNTIME) copy(`node_modules/onnxruntime-web/dist/${file}`, `onnxruntime/${file}`);
      await ensureHuggingFaceLayout(join(root, 'models/encoder-en'), join(root, 'build/hugging-face/encoder-en'));
      copy('build/hugging-face', 'hugging-face');
      write('onnx/lstm.onnx', lstmModel());
      write('onnx/head-shipped.onnx', headModel('shipped'));
      write('onnx/head-wide.onnx', headModel('wide'));
      write('cold/model.safetensors', coldSafetensors());
      write('cold/model.onnx', coldOnnx());
    },
  };
}

/**
 * The benches' pages, built as a shop would build them. `mode` is the page: each has a build of its own, so that no page's bundle
 * is larger for what only another page needs. `index` comes first and empties the folder.
 */
export default defineConfig(({ mode: page }) => ({
  root: join(root, 'bench/page'),
  publicDir: false,
  plugins: [shopServer(join(root, 'demo/data')), ...(page === 'index' ? [assets()] : [])],
  worker: { format: 'es' },
  build: {
    outDir,
    emptyOutDir: page === 'index',
    target: 'es2022',
    chunkSizeWarningLimit: Infinity,
    rolldownOptions: { input: join(root, 'bench/page', `${page}.html`) },
  },
}));
