import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Serves the repository's own files to small test pages: /test/e2e/pages/NAME.html may import /src/… and fetch /models/…. */
export default defineConfig({
  root: fileURLToPath(new URL('../../..', import.meta.url)),
  appType: 'mpa',
  cacheDir: '.cache/vite-pages',
  publicDir: false,
  // All is known before the first page, since a dependency found late reloads the page under test.
  optimizeDeps: { entries: ['test/e2e/pages/*.html', 'src/**/*.ts', '!src/cli/**', '!src/compute/wasm/assembly/**'] },
  server: { hmr: false, watch: null },
});
