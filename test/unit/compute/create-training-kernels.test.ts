import { afterEach, expect, it, vi } from 'vitest';
import { createTrainingKernels } from '../../../src/compute/create-training-kernels.ts';

afterEach(() => void vi.unstubAllGlobals());

it('takes WebAssembly where it starts, and plain TypeScript where it does not', () => {
  expect(createTrainingKernels({ maxBytes: 4 * 1024 * 1024 }).name).toBe('wasm-simd-f32');
  vi.stubGlobal('WebAssembly', undefined);
  expect(createTrainingKernels().name).toBe('reference');
});
