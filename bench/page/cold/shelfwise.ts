import { createWasmDevice } from '../../../src/compute/wasm/device.ts';
import { fetchModel, finish, HISTORY } from './answer.ts';

const [device, { inputWeights, hiddenWeights, bias, items }] = await Promise.all([createWasmDevice(), fetchModel()]);
const [steps, input] = HISTORY.shape;
const hidden = hiddenWeights.shape[1]!;
const upload = ({ values, shape }: typeof items) => device.upload(values, shape);
const weights = { inputWeights: upload(inputWeights), hiddenWeights: upload(hiddenWeights), bias: upload(bias) };
const catalogue = upload(items);
const [state] = await device.run((ops) => [ops.lstm(ops.input(HISTORY.values, [steps, 1, input]), weights, ops.input(new Float32Array(2 * hidden), [2, 1, hidden]))]);
const [scores] = await device.run((ops) => [ops.linear(ops.input(state!.subarray(0, hidden), [1, hidden]), catalogue, null)]);
finish(scores!);
