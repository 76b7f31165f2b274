import { minify } from 'terser';
import { defineConfig, type Rolldown, type UserConfig } from 'vite';

/** A device's chunk is named for its folder, its kernels' for their arithmetic, so that sizes can be told apart. */
function nameChunk(folder: string): (chunk: Rolldown.PreRenderedChunk) => string {
  return ({ facadeModuleId }) => {
    const [, device, kernels] = /compute\/(\w+)\/(?:([\w-]+)\.generated)?/.exec(facadeModuleId ?? '') ?? [];
    return `${folder}/${kernels ? `kernels-${kernels}` : (device ?? '[name]')}-[hash].js`;
  };
}

/** Terser before oxc makes less than oxc alone; not of tfjs, which it only slows the build for. */
const minifyAgain: Rolldown.Plugin = {
  name: 'shelfwise:terser',
  async renderChunk(code, { moduleIds }) {
    if (moduleIds.some((id) => id.includes('@tensorflow'))) return null;
    // Oxc names what is left: names that Terser had shortened would only stand in its way.
    const { code: minified } = await minify(code, { module: true, ecma: 2022, mangle: false, compress: { passes: 4, keep_fargs: false, unsafe_arrows: true } });
    return minified ?? null;
  },
};

// Four builds, because they differ in what is bundled: `page` is one file without dependencies, a shop's bundler brings
// the dependencies of `entries` itself, `worker` stands alone so that a plain page can name its address, `cli` runs on Node.
const builds: Readonly<Record<string, UserConfig>> = {
  page: {
    build: {
      lib: { entry: { index: 'src/index.ts' }, formats: ['es'] },
      rolldownOptions: { plugins: [minifyAgain], output: { minify: true } },
    },
  },
  entries: {
    build: {
      lib: { entry: { worker: 'src/worker/entry.ts', tfjs: 'src/compute/tfjs/device.ts', 'encoders/transformers': 'src/encoders/transformers.ts' }, formats: ['es'] },
      rolldownOptions: {
        external: /^(?!\.|\/|src\/)/,
        output: { chunkFileNames: nameChunk('chunks') },
      },
    },
  },
  worker: {
    build: {
      lib: { entry: { 'shelfwise.worker': 'src/worker/shelfwise.worker.ts' }, formats: ['es'] },
      rolldownOptions: {
        plugins: [minifyAgain],
        output: {
          minify: true,
          comments: { annotation: false },
          chunkFileNames: nameChunk('worker-chunks'),
          // What every visit runs is one chunk: it compresses better than in pieces.
          codeSplitting: { groups: [{ name: 'worker', tags: ['$initial'] }] },
        },
      },
    },
  },
  cli: {
    build: {
      ssr: true,
      target: 'node20',
      rolldownOptions: {
        input: { cli: 'src/cli/main.ts' },
        output: { chunkFileNames: 'cli-chunks/[name]-[hash].js' },
      },
    },
    ssr: { noExternal: true, external: ['@duckdb/node-api'] },
  },
};

export default defineConfig(({ mode }) => {
  const chosen = builds[mode];
  if (!chosen) throw new Error(`vite.lib.config.ts has the modes ${Object.keys(builds).join(', ')}; not ${mode}.`);
  return {
    ...chosen,
    publicDir: false,
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { target: 'es2022', minify: true, outDir: 'dist', emptyOutDir: false, copyPublicDir: false, ...chosen.build },
  };
});
