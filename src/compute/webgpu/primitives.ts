import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu.js';
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu_program.js';
import { RecommenderError } from '../../errors.ts';
import type { LstmWeights, Primitives, Tensor } from '../device.ts';
import { dimensions } from '../dimensions.ts';
import { createLinearCall } from './linear-program.ts';
import { createLstmCall, MAX_HIDDEN } from './lstm-program.ts';
import { GpuTensor } from './memory.ts';

/** What our programs add to the backend's own header: the WGSL and the values of its uniforms. */
interface Call {
  readonly program: WebGPUProgram;
  readonly uniforms: { type: string; data: number[] }[];
}

/** The primitives of one run; whatever they make is added to `temporaries`, for the run to release. */
export function createPrimitives(backend: WebGPUBackend, temporaries: GpuTensor[]): Primitives {
  function allocate(shape: readonly number[]): GpuTensor {
    const tensor = GpuTensor.allocate(backend, shape);
    temporaries.push(tensor);
    return tensor;
  }

  function dispatch({ program, uniforms }: Call, inputs: readonly GpuTensor[], output: GpuTensor): GpuTensor {
    // The backend compiles once per key, rank and equality of shapes. Inputs of rank 1 and an output of rank 2 never
    // compare equal, so that each program compiles once, whatever the number of candidates.
    const outputInfo = { ...output.info, shape: [1, output.capacity] };
    backend.runWebGPUProgram(program, inputs.map(({ info }) => info), 'float32', uniforms, outputInfo);
    return output;
  }

  return {
    input(values, shape) {
      const tensor = GpuTensor.upload(backend, values, shape);
      temporaries.push(tensor);
      return tensor;
    },

    linear(x, weight, bias, activation = 'none') {
      const [rows, depth] = dimensions(x, 2, 'x');
      const [columns] = dimensions(weight, 2, 'weight', [undefined, depth]);
      if (bias) dimensions(bias, 1, 'bias', [columns]);
      const output = allocate([rows, columns]);
      if (output.size === 0) return output;
      const inputs = [x, weight, ...(bias ? [bias] : [])].map((tensor) => GpuTensor.of(tensor));
      const call = createLinearCall({ rows, columns, depth }, { hasBias: bias !== null, activation, capacity: output.capacity });
      return dispatch(call, inputs, output);
    },

    lstm(x: Tensor, { inputWeights, hiddenWeights, bias }: LstmWeights, state: Tensor) {
      const [steps, batch, input] = dimensions(x, 3, 'x');
      const [, , hidden] = dimensions(state, 3, 'state', [2, batch, undefined]);
      dimensions(inputWeights, 2, 'inputWeights', [4 * hidden, input]);
      dimensions(hiddenWeights, 2, 'hiddenWeights', [4 * hidden, hidden]);
      dimensions(bias, 1, 'bias', [4 * hidden]);
      if (hidden > MAX_HIDDEN) throw new RecommenderError('DEVICE_FAILED', `webgpu runs LSTMs of at most ${MAX_HIDDEN} units.`);
      const output = allocate([2, batch, hidden]);
      if (output.size === 0) return output;
      const inputs = [x, inputWeights, hiddenWeights, bias, state].map((tensor) => GpuTensor.of(tensor));
      return dispatch(createLstmCall({ steps, batch, input, hidden }, output.capacity), inputs, output);
    },

    addLayerNorm: () => refuse(),
    attention: () => refuse(),
    meanPool: () => refuse(),
  };
}

function refuse(): never {
  throw new RecommenderError('DEVICE_FAILED', 'webgpu does not encode yet.');
}
