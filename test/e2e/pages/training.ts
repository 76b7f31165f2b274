import { createTrainingKernels } from '../../../src/compute/create-training-kernels.ts';
import { STEP_LOSSES, trainSteps } from '../../helpers/training-steps.ts';

const kernels = createTrainingKernels({ maxBytes: 128 * 2 ** 20 });

const trainingPage = {
  kernels: kernels.name,
  train: (loss: keyof typeof STEP_LOSSES) => trainSteps(kernels, STEP_LOSSES[loss]),
};

declare global {
  interface Window {
    trainingPage: typeof trainingPage;
  }
}

window.trainingPage = trainingPage;
