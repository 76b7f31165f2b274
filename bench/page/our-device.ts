import type { Device } from '../../src/compute/device.ts';
import { createWasmDevice } from '../../src/compute/wasm/device.ts';

export type Arithmetic = 'int8' | 'f32';

const KERNELS = { int8: 'int8-relaxed', f32: 'f32-relaxed' } as const;

const create: (options: { readonly kernel: (typeof KERNELS)[Arithmetic] }) => Promise<Device> = createWasmDevice;

/** Our WebAssembly kernels, forced to one arithmetic: relaxed SIMD, as current browsers have it. */
export function createOurDevice(arithmetic: Arithmetic): Promise<Device> {
  return create({ kernel: KERNELS[arithmetic] });
}
