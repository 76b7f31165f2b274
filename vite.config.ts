import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { folders, huggingFaceLayout, shopServer } from './demo/server/vite-plugins.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The demo shop: `vite` in development, `vite build` and `vite preview` as visitors get it. */
export default defineConfig({
  root: here('demo'),
  publicDir: here('demo/public'),
  cacheDir: here('.cache/vite-demo'),
  resolve: {
    // The demo imports what a shop would install.
    alias: [
      { find: /^shelfwise$/, replacement: here('src/index.ts') },
      { find: /^shelfwise\/worker$/, replacement: here('src/worker/entry.ts') },
      { find: /^shelfwise\/encoders\/transformers$/, replacement: here('src/encoders/transformers.ts') },
    ],
  },
  plugins: [
    shopServer(here('demo/data')),
    huggingFaceLayout(here('models/encoder-en'), here('build/hugging-face/encoder-en')),
    folders({ '/models': here('models'), '/pictures': here('demo/data/pictures'), '/hugging-face': here('build/hugging-face') }),
  ],
  worker: { format: 'es' },
  build: { outDir: '../build/demo', emptyOutDir: true, target: 'es2022' },
  // All is known before the first page, since a dependency found late reloads the page.
  optimizeDeps: { entries: ['index.html', '*.worker.ts', '../src/worker/entry.ts'] },
});
