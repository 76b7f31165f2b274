import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu.js';
import { makeShaderKey, type WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu_program.js';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { moduleSource, type Call, type Kernel } from './kernel.ts';

// The backend compiles once per key, rank and equality of shapes. Ours are all alike, so that each kernel compiles once.
const ANY_SHAPE = [4];

/** Compiles kernels without blocking, and dispatches them through the backend. */
export class Pipelines {
  readonly #backend: WebGPUBackend;
  readonly #compiled = new Map<string, Promise<void>>();
  readonly #ready = new Set<string>();

  constructor(backend: WebGPUBackend) {
    this.#backend = backend;
  }

  /** Whether all of these kernels can be dispatched at once. */
  areReady(kernels: Iterable<Kernel>): boolean {
    for (const { name } of kernels) if (!this.#ready.has(name)) return false;
    return true;
  }

  /** Compiles what is missing, all at the same time, on the browser's own threads. Rejects with the compiler's message. */
  async prepare(kernels: Iterable<Kernel>): Promise<void> {
    await Promise.all(Array.from(kernels, (kernel) => {
      const compiling = this.#compiled.get(kernel.name) ?? this.#compile(kernel);
      this.#compiled.set(kernel.name, compiling);
      return compiling;
    }));
  }

  /** Records one dispatch. */
  dispatch({ kernel, uniforms, inputs, output, workgroups }: Call): void {
    const infos = inputs.map((tensor) => anyShape(tensor.info));
    const data = uniforms.map((value) => ({ type: 'int32', data: [value] }));
    this.#backend.runWebGPUProgram(programOf(kernel, workgroups), infos, 'float32', data, anyShape(output.info));
  }

  async #compile(kernel: Kernel): Promise<void> {
    const { device } = this.#backend;
    const module = device.createShaderModule({ code: moduleSource(kernel), label: kernel.name });
    const pipeline = await device.createComputePipelineAsync({ compute: { module }, layout: 'auto', label: kernel.name });
    // Where the backend looks before it would compile by itself, which blocks. The key tells flat dispatches from spread ones.
    const cache = this.#backend['pipelineCache'] as Record<string, GPUComputePipeline>;
    for (const dispatch of [[1, 1, 1], [2, 2, 1], [2, 2, 2]] as const) {
      const program = { ...programOf(kernel, 1), dispatch: [...dispatch] as [number, number, number] };
      const inputs = program.variableNames.map((name) => ({ dtype: 'float32' as const, shape: ANY_SHAPE, name }));
      cache[makeShaderKey(program, inputs, { dataId: {}, dtype: 'float32', shape: ANY_SHAPE })] = pipeline;
    }
    this.#ready.add(kernel.name);
  }
}

function anyShape(info: TensorInfo): TensorInfo {
  return { ...info, shape: ANY_SHAPE };
}

/** Made anew for each call, since the backend writes into it. */
function programOf({ name, inputs, lanes }: Kernel, workgroups: number): WebGPUProgram {
  return {
    shaderKey: `shelfwise ${name}`,
    variableNames: Object.keys(inputs),
    outputShape: ANY_SHAPE,
    workgroupSize: [lanes, 1, 1],
    dispatchLayout: { x: [0] },
    dispatch: [workgroups, 1, 1],
    getUserCode: () => {
      throw new Error(`Kernel ${name} is dispatched before it is compiled.`);
    },
  };
}
