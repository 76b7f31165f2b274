import { startOnnxruntime } from '../peers/onnxruntime.ts';
import { finish, HISTORY } from './answer.ts';

const ort = startOnnxruntime();
const session = await ort.InferenceSession.create('/cold/model.onnx');
const [steps, input] = HISTORY.shape;
const { scores } = await session.run({ x: new ort.Tensor('float32', HISTORY.values, [steps, 1, input]) });
finish(scores!.data as Float32Array);
