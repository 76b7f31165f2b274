import type { Device } from '../compute/device.ts';
import { createWasmDevice } from '../compute/wasm/device.ts';

/** WebAssembly in plain float32: what is trained and encoded on the command line has the same bits on every version of Node. */
export function createPlainDevice(): Promise<Device> {
  return createWasmDevice({ kernel: 'f32-simd' });
}
