import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import { createReferenceTrainingKernels } from '../../src/compute/reference/training.ts';
import { createWasmTrainingKernels } from '../../src/compute/wasm/training.ts';
import { DemandModel } from '../../src/forecast/demand.ts';
import type { DemandTensors } from '../../src/forecast/demand.ts';
import { createRandom } from '../../src/lib/random.ts';
import { trainDemand } from '../../src/learn/demand-training.ts';
import type { DemandTrainingOptions } from '../../src/learn/demand-training.ts';
import type { DemandSeries, Forecast } from '../../src/types.ts';

const WEEK = 7 * 86_400;
const AS_OF = Date.UTC(2011, 9, 1) / 1000;

const series = (values: readonly (number | null)[], asOf = AS_OF): DemandSeries => ({ measure: 'sales', asOf, stepDays: 7, values });

/** Sales of some weeks of a toy market: a wave of eight weeks over a trend, each item at its own level and phase. */
function toySeries(count: number, weeks: number, seed: number): DemandSeries[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const level = 5 * 20 ** random.next();
    const phase = random.integer(8);
    const trend = 0.01 * random.next();
    return series(Array.from({ length: weeks }, (_, week) => Math.round(level * (1 + trend * week) * (1 + 0.7 * Math.sin((2 * Math.PI * (week + phase)) / 8)))));
  });
}

async function train({ count = 96, ...options }: Partial<DemandTrainingOptions> & { count?: number } = {}): Promise<DemandTensors> {
  const { tensors } = await trainDemand(toySeries(count, 44, 1), { kernels: createWasmTrainingKernels(), hidden: 12, batch: 8, epochs: 30, patience: 5, learningRate: 0.01, ...options });
  return tensors;
}

describe('demand LSTM', () => {
  let tensors: DemandTensors;
  let model: DemandModel;

  beforeAll(async () => {
    tensors = await train();
    model = DemandModel.load(tensors, createReferenceDevice());
  }, 60_000);

  it('learns a wave over a trend better than last value and the mean', async () => {
    const unseen = toySeries(30, 41, 2);
    const origins = unseen.map((one) => ({ ...one, asOf: one.asOf - WEEK, values: one.values.slice(0, -1) }));
    const forecasts = await model.forecast(origins);
    const scaledError = (forecast: (row: number) => number): number =>
      unseen.reduce((sum, { values }, row) => sum + Math.abs(forecast(row) - values.at(-1)!) / Math.max(1, values.at(-1)!), 0) / unseen.length;
    const ours = scaledError((row) => forecasts[row]!.median[0]!);
    expect(ours).toBeLessThan(0.6 * scaledError((row) => origins[row]!.values.at(-1)!));
    expect(ours).toBeLessThan(0.6 * scaledError((row) => origins[row]!.values.slice(-4).reduce((sum: number, value) => sum + value!, 0) / 4));
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    const short = { count: 16, epochs: 2 };
    const once = await train(short);
    const again = await train(short);
    const other = await train({ ...short, seed: 2 });
    for (const [name, { values }] of once) expect(again.get(name)!.values, name).toEqual(values);
    expect(other.get('demand.head')!.values).not.toEqual(once.get('demand.head')!.values);
  }, 60_000);

  it('is trained alike by the plain kernels', async () => {
    const short = { count: 16, epochs: 1, hidden: 4 };
    const wasm = await train(short);
    const plain = await train({ ...short, kernels: createReferenceTrainingKernels() });
    for (const [name, { values }] of wasm) {
      values.forEach((value, k) => expect(value, `${name}[${k}]`).toBeCloseTo(plain.get(name)!.values[k]!, 3));
    }
  }, 60_000);

  it('answers a series by itself, whatever else is in the batch', async () => {
    const [a, b, c] = toySeries(3, 30, 3);
    const together = await model.forecast([a!, b!, c!], { horizon: 3 });
    expect(await model.forecast([b!], { horizon: 3 })).toEqual([together[1]]);
  });

  it('takes weeks before the series for unknown ones', async () => {
    const [one] = toySeries(1, 12, 4);
    const padded = { ...one!, values: [null, null, null, ...one!.values] };
    expect(await model.forecast([padded])).toEqual(await model.forecast([one!]));
  });

  it('tells an unknown week from a week without a sale', async () => {
    const values = [9, 11, 10, 9, 10, 12, 9, 10];
    const [unknown, empty] = await model.forecast([series([...values, null]), series([...values, 0])]);
    expect(unknown!.median[0]).toBeGreaterThan(empty!.median[0]!);
  });

  it('scales with the series', async () => {
    const values = [90, 110, 100, 90, 100, 120, 90, 100, 95, 105];
    const [small, large] = await model.forecast([series(values), series(values.map((value) => 10 * value))]);
    expect(large!.median[0]! / small!.median[0]!).toBeGreaterThan(5);
    expect(large!.median[0]! / small!.median[0]!).toBeLessThan(20);
  });

  it.each<[string, DemandSeries]>([
    ['no weeks', series([])],
    ['no known week', series([null, null, null])],
    ['values that are not numbers', series([3, NaN, Infinity, 4, -Infinity])],
    ['returns above sales', series([3, -5, 4, -1])],
    ['one enormous week', series([1, 2, 1e12, 1])],
    ['a clock that is not one', series([3, 4, 5], NaN)],
    ['only zeros', series([0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ['two hundred weeks', series(Array.from({ length: 200 }, (_, week) => week % 7))],
  ])('answers %s with ordered, finite steps', async (_, malformed) => {
    const [forecast] = await model.forecast([malformed], { horizon: 6 });
    expectSound(forecast!, 6);
  });

  it('reads NaN as unknown and a negative week as one without a sale', async () => {
    const [nan, unknown, negative, zero] = await model.forecast([series([4, NaN, 6]), series([4, null, 6]), series([4, -2, 6]), series([4, 0, 6])]);
    expect(nan).toEqual(unknown);
    expect(negative).toEqual(zero);
  });

  it('answers no series with no forecast', async () => {
    expect(await model.forecast([])).toEqual([]);
  });

  it.each([0, -1, 1.5, NaN, 53])('refuses a horizon of %d', async (horizon) => {
    await expect(model.forecast([series([1, 2])], { horizon })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  });

  it('refuses tensors of another shape', () => {
    const wrong = new Map(tensors).set('demand.head', { shape: [2, 8], values: new Float32Array(16) });
    expect(() => DemandModel.load(wrong, createReferenceDevice())).toThrow(expect.objectContaining({ code: 'PACK_INVALID' }) as Error);
    expect(() => DemandModel.load(new Map(), createReferenceDevice())).toThrow(expect.objectContaining({ code: 'PACK_INVALID' }) as Error);
  });

  it('refuses to learn from nothing', async () => {
    const training = trainDemand([series([1, 2]), series([])], { kernels: createReferenceTrainingKernels() });
    await expect(training).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });
});

function expectSound({ mean, low, median, high }: Forecast, horizon: number): void {
  expect(mean).toHaveLength(horizon);
  expect(median).toHaveLength(horizon);
  for (let step = 0; step < horizon; step++) {
    expect(mean[step]).toBeGreaterThanOrEqual(0);
    expect(mean[step]).toBeLessThan(Infinity);
    expect(low[step]).toBeGreaterThanOrEqual(0);
    expect(median[step]).toBeGreaterThanOrEqual(low[step]!);
    expect(high[step]).toBeGreaterThanOrEqual(median[step]!);
    expect(high[step]).toBeLessThan(Infinity);
  }
}
