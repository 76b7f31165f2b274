import type { GpuTensor } from './gpu-tensor.ts';

/** One of our WGSL programs; a device compiles it once, whatever the number of rows. */
export interface Kernel {
  /** Names all that the source depends on: the key of the compiled pipeline, and its label in GPU tools. */
  readonly name: string;
  /** Element type of each input buffer, by its name in the source. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Names of the i32 values that a call brings. */
  readonly uniforms: readonly string[];
  /** Invocations per workgroup. */
  readonly lanes: number;
  /** Needs the device's feature shader-f16. */
  readonly half?: boolean;
  /** WGSL that declares `fn main(group : i32, lane : i32)` and writes to `result : array<f32>`; surplus groups must return. */
  readonly source: string;
}

/** A kernel on its tensors: one dispatch. */
export interface Call {
  readonly kernel: Kernel;
  readonly uniforms: readonly number[];
  /** One per input of the kernel, in its order. */
  readonly inputs: readonly GpuTensor[];
  readonly output: GpuTensor;
  readonly workgroups: number;
}

/**
 * The whole WGSL module. Bindings and the head of the uniforms are as the backend sets them: the result, the inputs, the uniforms;
 * NaN, infinity, then length and stride of each buffer. Source of our own, because `enable f16` must stand before all else.
 */
export function moduleSource({ inputs, uniforms, lanes, half = false, source }: Kernel): string {
  const names = Object.keys(inputs);
  const buffers = Object.entries(inputs).map(([name, type], index) => `@group(0) @binding(${index + 1}) var<storage, read> ${name} : array<${type}>;`);
  const unread = ['nan : f32', 'infinity : f32', ...[...names, 'result'].flatMap((name) => [`${name}Length : i32`, `${name}Stride : i32`])];
  return `${half ? 'enable f16;' : ''}
struct Uniforms { ${[...unread, ...uniforms.map((name) => `${name} : i32`)].join(', ')} }
@group(0) @binding(0) var<storage, read_write> result : array<f32>;
${buffers.join('\n')}
@group(0) @binding(${names.length + 1}) var<uniform> uniforms : Uniforms;
${source}
@compute @workgroup_size(${lanes})
fn start(
  @builtin(workgroup_id) group : vec3<u32>,
  @builtin(num_workgroups) groups : vec3<u32>,
  @builtin(local_invocation_index) lane : u32,
) {
  // The backend spreads many workgroups over three dimensions.
  main(i32((group.z * groups.y + group.y) * groups.x + group.x), i32(lane));
}
`;
}
