import { RecommenderError } from '../../errors.ts';
import type { Device } from '../device.ts';
import type { WebgpuOptions } from './device.ts';

export interface LoadWebgpuOptions extends WebgpuOptions {
  /** Takes a GPU that is only imitated on the CPU, where our own CPU kernels are faster; default true. */
  readonly software?: boolean;
}

/**
 * Makes a new WebGPU device where the browser has an adapter that will do; only then is its chunk (tfjs and our WGSL) fetched.
 * @throws RecommenderError `DEVICE_FAILED` where WebGPU is absent or refused, without the precision, or its chunk does not load.
 */
export async function loadWebgpuDevice({ precision = 'f32', software = true }: LoadWebgpuOptions = {}): Promise<Device> {
  try {
    // The property is missing in older browsers, in Node and on pages served over plain http.
    const gpu = 'gpu' in navigator ? navigator.gpu : undefined;
    const adapter = await gpu?.requestAdapter();
    if (!adapter) throw new RecommenderError('DEVICE_FAILED', 'This browser offers no WebGPU adapter.');
    if (!software && adapter.info.isFallbackAdapter) throw new RecommenderError('DEVICE_FAILED', 'This browser has only a software GPU.');
    if (precision === 'f16' && !adapter.features.has('shader-f16')) {
      throw new RecommenderError('DEVICE_FAILED', 'This WebGPU adapter does not offer shader-f16.');
    }
    const { createWebgpuDevice } = await import('./device.ts');
    return await createWebgpuDevice(adapter, { precision });
  } catch (error) {
    throw RecommenderError.from(error, 'DEVICE_FAILED');
  }
}
