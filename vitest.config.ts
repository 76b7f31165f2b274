import { defineConfig } from 'vitest/config';

// Node 20 has relaxed SIMD, which browsers have, behind a flag that later versions no longer know.
const execArgv = process.versions.node.startsWith('20.') ? ['--experimental-wasm-relaxed-simd'] : [];

export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts', 'test/parity/**/*.test.ts'],
    // Two cores: more workers than that only take turns.
    maxWorkers: 2,
    execArgv,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
