import type { Device } from '../compute/device.ts';
import { createReferenceDevice } from '../compute/reference/device.ts';
import type { TrainingKernels } from '../compute/training-kernels.ts';
import { appendWeek, readSeries, scaleAt, toScaledLog, WINDOW_WEEKS } from '../forecast/demand-input.ts';
import type { SalesValues, WeeklySales } from '../forecast/demand-input.ts';
import { DemandModel, QUANTILES } from '../forecast/demand.ts';
import type { DemandTensors } from '../forecast/demand.ts';
import { RecommenderError } from '../errors.ts';
import { createRandom } from '../lib/random.ts';
import type { Random } from '../lib/random.ts';
import { DemandNetwork } from './demand-network.ts';
import type { DemandWindow } from './demand-network.ts';
import { clipGradients, stepAdamW } from './parameters.ts';

export interface DemandTrainingOptions {
  readonly kernels: TrainingKernels;
  /** Forecasts the held-out weeks. Default: the reference device, the same bits everywhere. */
  readonly device?: Device;
  /** The same seed, series and kernels give the same bytes. Default 1. */
  readonly seed?: number;
  /** Default 32. */
  readonly hidden?: number;
  /** Windows per step. Default 128. */
  readonly batch?: number;
  /** At most so many rounds of `windowsPerEpoch`. Default 16. */
  readonly epochs?: number;
  /** Windows drawn in an epoch, each of another series. Default 4,096. */
  readonly windowsPerEpoch?: number;
  /** Epochs without a better hold-out loss before it stops. Default 4. */
  readonly patience?: number;
  /** The last weeks of every series, on which it stops early and calibrates the intervals. Default 4. */
  readonly holdOutWeeks?: number;
  /** At the start; it falls to a tenth along a cosine. Default 0.003. */
  readonly learningRate?: number;
  readonly weightDecay?: number;
  /** Called after each epoch. */
  readonly onEpoch?: (epoch: DemandEpoch) => void;
}

export interface DemandEpoch {
  readonly phase: 'search' | 'refit';
  readonly epoch: number;
  /** Mean pinball loss, in scaled log sales. */
  readonly trainLoss: number;
  /** Null in the refit, which holds nothing out. */
  readonly holdOutLoss: number | null;
}

export interface DemandTrainingReport {
  readonly series: number;
  readonly seed: number;
  readonly kernels: string;
  readonly epochs: readonly DemandEpoch[];
  readonly bestEpoch: number;
  readonly holdOutLoss: number;
  /** Per horizon: what is added below and above the interval, in scaled log sales. */
  readonly margins: readonly (readonly [below: number, above: number])[];
}

/** Gradients longer than this are shortened. */
const GRADIENT_NORM = 1;

/** Series that early stopping and calibration look at, spread over all: more would not move a mean or a decile. */
const HOLD_OUT_SERIES = 4_096;

/**
 * Trains one demand LSTM over all series: first with their last weeks held out, to find the number of epochs and to
 * calibrate the intervals (conformalised quantile regression, Romano et al. 2019, on each side and horizon), then again on all
 * weeks for that number of epochs. Give a product several series, one for each weekday that its weeks may end on.
 * @throws RecommenderError `INVALID_DATA` when no series has known weeks to learn from.
 */
export async function trainDemand(
  series: readonly SalesValues[],
  {
    kernels,
    device = createReferenceDevice(),
    seed = 1,
    hidden = 32,
    batch = 128,
    epochs = 16,
    windowsPerEpoch = 4_096,
    patience = 4,
    holdOutWeeks = 4,
    learningRate = 0.003,
    weightDecay = 0.01,
    onEpoch = () => undefined,
  }: DemandTrainingOptions,
): Promise<{ tensors: DemandTensors; report: DemandTrainingReport }> {
  const known = series.map(readSeries).filter(({ values, start }) => values.length - start > holdOutWeeks + 1);
  if (known.length === 0) throw new RecommenderError('INVALID_DATA', `No series has more than ${holdOutWeeks + 1} known weeks.`);
  const history: DemandEpoch[] = [];
  const schedule = { epochs, windowsPerEpoch, learningRate, weightDecay };
  const record = (epoch: DemandEpoch): void => {
    history.push(epoch);
    onEpoch(epoch);
  };

  const network = new DemandNetwork(hidden, batch, kernels, createRandom(seed));
  const initial = copyTensors(network);
  let random = createRandom(seed + 1);
  const heldOut = evenly(known, HOLD_OUT_SERIES).map((sales): DemandWindow => ({ sales, end: sales.values.length - 1, learnFrom: sales.values.length - holdOutWeeks }));
  let best = { epoch: 0, loss: Infinity, tensors: initial };
  for (let epoch = 1; epoch <= epochs && epoch - best.epoch <= patience; epoch++) {
    const trainLoss = learnEpoch(network, known, holdOutWeeks, random, epoch, schedule, kernels);
    const holdOutLoss = meanLoss(network, heldOut);
    record({ phase: 'search', epoch, trainLoss, holdOutLoss });
    if (holdOutLoss < best.loss) best = { epoch, loss: holdOutLoss, tensors: copyTensors(network) };
  }
  const margins = await calibrate(best.tensors, known, holdOutWeeks, device);

  resetNetwork(network, initial);
  random = createRandom(seed + 1);
  for (let epoch = 1; epoch <= best.epoch; epoch++) {
    record({ phase: 'refit', epoch, trainLoss: learnEpoch(network, known, 0, random, epoch, schedule, kernels), holdOutLoss: null });
  }
  return {
    tensors: withMargins(copyTensors(network), margins),
    report: { series: known.length, seed, kernels: kernels.name, epochs: history, bestEpoch: best.epoch, holdOutLoss: best.loss, margins },
  };
}

interface Schedule {
  readonly epochs: number;
  readonly windowsPerEpoch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** One random window of each of some series, in random order; nothing of the last `holdOutWeeks` is learnt. */
function learnEpoch(
  network: DemandNetwork,
  known: readonly WeeklySales[],
  holdOutWeeks: number,
  random: Random,
  epoch: number,
  { epochs, windowsPerEpoch, learningRate, weightDecay }: Schedule,
  kernels: TrainingKernels,
): number {
  const order = random.shuffle(Int32Array.from(known.keys())).subarray(0, windowsPerEpoch);
  const steps = Math.ceil(order.length / network.batch);
  let loss = 0;
  for (let step = 0; step < steps; step++) {
    const windows = Array.from(order.subarray(step * network.batch, (step + 1) * network.batch), (index): DemandWindow => {
      const sales = known[index]!;
      const last = sales.values.length - holdOutWeeks - 1;
      const first = Math.min(last, Math.max(WINDOW_WEEKS, sales.start + 1));
      return { sales, end: first + random.integer(last - first + 1), learnFrom: 0 };
    });
    loss += network.learn(windows);
    clipGradients(kernels, network.parameters, GRADIENT_NORM);
    const done = (epoch - 1 + step / steps) / epochs;
    stepAdamW(kernels, network.parameters, {
      step: (epoch - 1) * steps + step + 1,
      learningRate: learningRate * (0.1 + 0.45 * (1 + Math.cos(Math.PI * done))),
      weightDecay,
    });
  }
  return loss / steps;
}

/** Mean loss over all known weeks of the windows. */
function meanLoss(network: DemandNetwork, windows: readonly DemandWindow[]): number {
  let loss = 0;
  let weeks = 0;
  for (let start = 0; start < windows.length; start += network.batch) {
    const batchLoss = network.loss(windows.slice(start, start + network.batch));
    loss += batchLoss * network.known;
    weeks += network.known;
  }
  return loss / Math.max(1, weeks);
}

/** How far the interval must move on each side, per horizon, to cover the held-out weeks: [below, above]. */
async function calibrate(tensors: DemandTensors, known: readonly WeeklySales[], holdOutWeeks: number, device: Device): Promise<[number, number][]> {
  const sample = evenly(known, HOLD_OUT_SERIES);
  const model = DemandModel.load(withMargins(tensors, [[0, 0]]), device);
  const origins = sample.map(({ values }) => ({ values: Array.from(values.subarray(0, values.length - holdOutWeeks)) }));
  const forecasts = await model.forecast(origins, { horizon: holdOutWeeks });
  model.dispose();
  const below = Array.from({ length: holdOutWeeks }, (): number[] => []);
  const above = Array.from({ length: holdOutWeeks }, (): number[] => []);
  origins.forEach((origin, index) => {
    const { median, low, high } = forecasts[index]!;
    const { values } = sample[index]!;
    let sales = readSeries(origin);
    for (let step = 0; step < holdOutWeeks; step++) {
      const scale = scaleAt(sales, sales.values.length - 1);
      const actual = toScaledLog(values[values.length - holdOutWeeks + step]!, scale);
      if (!Number.isNaN(actual)) {
        below[step]!.push(toScaledLog(low[step]!, scale) - actual);
        above[step]!.push(actual - toScaledLog(high[step]!, scale));
      }
      sales = appendWeek(sales, median[step]!);
    }
  });
  return below.map((errors, step) => [quantile(errors, QUANTILES[2]), quantile(above[step]!, QUANTILES[2])]);
}

function quantile(values: readonly number[], level: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))] ?? 0;
}

/** At most `count` values, at equal distances. */
function evenly<T>(values: readonly T[], count: number): T[] {
  const taken = Math.min(count, values.length);
  return Array.from({ length: taken }, (_, k) => values[Math.floor((k * values.length) / taken)]!);
}

function copyTensors(network: DemandNetwork): DemandTensors {
  return new Map(Array.from(network.parameters, ([name, { shape, values }]) => [name, { shape, values: Float32Array.from(values) }]));
}

function withMargins(tensors: DemandTensors, margins: readonly (readonly number[])[]): DemandTensors {
  return new Map([...tensors, ['demand.margins', { shape: [margins.length, 2], values: Float32Array.from(margins.flat()) }]]);
}

/** Back to the initial weights, with AdamW's moments forgotten. */
function resetNetwork(network: DemandNetwork, initial: DemandTensors): void {
  for (const [name, { values, first, second }] of network.parameters) {
    values.set(initial.get(name)!.values);
    first.fill(0);
    second.fill(0);
  }
}
