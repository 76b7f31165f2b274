import { RecommenderError } from '../../errors.ts';
import type { Device } from '../device.ts';

/**
 * Makes the WebGPU device where the browser has an adapter; only then is its chunk (tfjs and our WGSL) fetched.
 * @throws RecommenderError `DEVICE_FAILED` where WebGPU is absent, refused, or its chunk does not load.
 */
export async function loadWebgpuDevice(): Promise<Device> {
  // The property is missing in older browsers, in Node and on pages served over plain http.
  const gpu = 'gpu' in navigator ? navigator.gpu : undefined;
  const adapter = await gpu?.requestAdapter();
  if (!adapter) throw new RecommenderError('DEVICE_FAILED', 'This browser offers no WebGPU adapter.');
  try {
    const { createWebgpuDevice } = await import('./device.ts');
    return await createWebgpuDevice(adapter);
  } catch (error) {
    throw RecommenderError.from(error, 'DEVICE_FAILED');
  }
}
