/** What reached WebGPU itself, below tfjs and below us, since the last `takeCounts()`. */
export interface GpuCounts {
  /** Dispatches of each kernel, by its label. */
  readonly kernels: Record<string, number>;
  readonly dispatches: number;
  readonly readbacks: number;
  readonly buffers: number;
  /** Pipelines compiled in the background. */
  readonly pipelines: number;
  /** Pipelines that whoever used them had to wait for. */
  readonly blockingPipelines: number;
}

type Counts = { -readonly [K in keyof GpuCounts]: GpuCounts[K] };

const nothing = (): Counts => ({ kernels: {}, dispatches: 0, readbacks: 0, buffers: 0, pipelines: 0, blockingPipelines: 0 });

let counts = nothing();
let bytes = 0;

/** Every GPUDevice that was made, the newest last. */
export const gpuDevices: GPUDevice[] = [];

export function takeCounts(): GpuCounts {
  const taken = counts;
  counts = nothing();
  return taken;
}

/** Bytes of all buffers that were made and not destroyed. */
export function gpuBytes(): number {
  return bytes;
}

/** Calls `called` with the arguments and result of every call of a method. */
function spy<T extends object>(prototype: T, method: string & keyof T, called: (self: T, args: unknown[], result: unknown) => void): void {
  const original = prototype[method];
  if (typeof original !== 'function') throw new Error(`${method} is not a method.`);
  Object.defineProperty(prototype, method, {
    configurable: true,
    value(this: T, ...args: unknown[]): unknown {
      const result: unknown = Reflect.apply(original, this, args);
      called(this, args, result);
      return result;
    },
  });
}

if ('gpu' in navigator) {
  const pipelineOf = new WeakMap<GPUComputePassEncoder, GPUComputePipeline>();
  spy(GPUComputePassEncoder.prototype, 'setPipeline', (pass, [pipeline]) => pipelineOf.set(pass, pipeline as GPUComputePipeline));
  spy(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', (pass) => {
    const { label } = pipelineOf.get(pass)!;
    counts.dispatches += 1;
    counts.kernels[label] = (counts.kernels[label] ?? 0) + 1;
  });
  spy(GPUBuffer.prototype, 'mapAsync', () => (counts.readbacks += 1));
  spy(GPUBuffer.prototype, 'destroy', (buffer) => (bytes -= buffer.size));
  spy(GPUDevice.prototype, 'createBuffer', (_device, _args, buffer) => {
    counts.buffers += 1;
    bytes += (buffer as GPUBuffer).size;
  });
  spy(GPUDevice.prototype, 'createComputePipeline', () => (counts.blockingPipelines += 1));
  spy(GPUDevice.prototype, 'createComputePipelineAsync', () => (counts.pipelines += 1));
  spy(GPUAdapter.prototype, 'requestDevice', (_adapter, _args, device) => void (device as Promise<GPUDevice>).then((made) => gpuDevices.push(made), () => undefined));
}
