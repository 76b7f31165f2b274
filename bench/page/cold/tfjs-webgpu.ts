import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { fetchModel, finish } from './answer.ts';
import { scoreWithTfjs } from './tfjs-model.ts';

tf.enableProdMode();
const [model] = await Promise.all([fetchModel(), tf.setBackend('webgpu')]);
if (tf.getBackend() !== 'webgpu') throw new Error(`tfjs runs on ${tf.getBackend()}.`);
finish(await scoreWithTfjs(model));
