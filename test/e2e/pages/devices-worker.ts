import { loadWebgpuDevice } from '../../../src/compute/webgpu/load.ts';
import { SERVING_PROGRAMS } from '../../helpers/device-programs.ts';

/** Runs the named program on WebGPU in this worker, where Shelfwise itself has its devices. */
self.addEventListener('message', ({ data }: MessageEvent<string>) => {
  void loadWebgpuDevice()
    .then((device) => SERVING_PROGRAMS[data]!(device))
    .then((results) => results.map((values) => [...values]))
    .then((results) => self.postMessage(results), (error: unknown) => self.postMessage(String(error)));
});
