import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { fetchModel, finish } from './answer.ts';
import { scoreWithTfjs } from './tfjs-model.ts';

tf.enableProdMode();
setWasmPaths('/tfjs-wasm/');
const [model] = await Promise.all([fetchModel(), tf.setBackend('wasm')]);
if (tf.getBackend() !== 'wasm') throw new Error(`tfjs runs on ${tf.getBackend()}.`);
finish(await scoreWithTfjs(model));
