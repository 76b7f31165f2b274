import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runForecast } from '../../src/cli/forecast.ts';
import type { ForecastReport } from '../../src/cli/forecast.ts';
import { readSeriesFile } from '../../src/cli/series.ts';
import { createWasmTrainingKernels } from '../../src/compute/wasm/training.ts';
import { createDailyForecaster, foldWeeks } from '../../src/forecast/daily-demand.ts';
import { demandBaselines } from '../../src/forecast/demand-baselines.ts';
import type { SalesSeries } from '../../src/forecast/demand-baselines.ts';
import { trainDemand } from '../../src/learn/demand-training.ts';
import { writeSafetensors } from '../../src/lib/safetensors.ts';
import { writePack } from '../../src/packs/write-pack.ts';

const DAY_MS = 86_400_000;

let folder: string;
const inFolder = (name: string): string => join(folder, name);

/** Sales of two items; of the second, every fourth step is missing from the file. */
function csvOf(steps: number, stepDays: number): string {
  const lines = ['item,date,value'];
  for (let step = 0; step < steps; step++) {
    const date = new Date(Date.UTC(2011, 0, 3) + step * stepDays * DAY_MS).toISOString().slice(0, 10);
    lines.push(`steady,${date},${10 + (step % 3)}`);
    if (step % 4 !== 1 || step === steps - 1) lines.push(`0042,${date},${[5, 3, 4][step % 3]!}`);
  }
  return lines.join('\n');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-forecast-'));
  const series = Array.from({ length: 8 }, (_, item) => ({ values: Array.from({ length: 30 }, (__, week) => 5 + item + (week % 4)) }));
  const { tensors } = await trainDemand(series, { kernels: createWasmTrainingKernels(), hidden: 4, batch: 8, epochs: 2 });
  const safe = Array.from(tensors, ([name, { shape, values }]) => [name, { dtype: 'F32', shape, values }] as const);
  const description = { kind: 'recommender', name: 'toy', created: '2011-11-01', dims: {}, measured: {}, trainingData: [], licence: 'Apache-2.0' } as const;
  await writePack(inFolder('pack'), description, new Map([['demand.safetensors', writeSafetensors(safe)]]));
  await writeFile(inFolder('weekly.csv'), csvOf(40, 7));
  await writeFile(inFolder('daily.csv'), csvOf(120, 1));
});

afterAll(() => rm(folder, { recursive: true }));

describe('series files', () => {
  it('keep ids as text and fill what is missing with unknown', async () => {
    const { stepDays, items, series } = await readSeriesFile(inFolder('weekly.csv'));
    expect(stepDays).toBe(7);
    expect(items).toEqual(['steady', '0042']);
    expect(series[1]!.values.slice(0, 4)).toEqual([5, null, 4, 5]);
  });

  it.each([
    ['a date that is none', 'item,date,value\na,yesterday,1', 'line 2'],
    ['a date given twice', 'item,date,value\na,2011-01-03,1\na,2011-01-10,1\na,2011-01-03,2', 'twice'],
    ['months', 'item,date,value\na,2011-01-01,1\na,2011-02-01,1\na,2011-03-01,1', 'one day or seven days'],
    ['no rows', 'item,date,value\n', 'wrong.csv'],
  ])('refuse %s', async (_, content, message) => {
    await writeFile(inFolder('wrong.csv'), content);
    const refusal = expect.objectContaining({ code: 'INVALID_DATA', message: expect.stringContaining(message) as string }) as Error;
    await expect(readSeriesFile(inFolder('wrong.csv'))).rejects.toEqual(refusal);
  });
});

describe('shelfwise forecast', () => {
  it.each([
    ['weekly.csv', '2011-10-10', 7, '4 weeks'],
    ['daily.csv', '2011-05-03', 1, '7 days'],
  ] as const)('forecasts and backtests %s', async (file, firstDate, stepDays, season) => {
    const json = inFolder('report.json');
    const lines: string[] = [];
    const report = await runForecast({ pack: inFolder('pack'), series: inFolder(file), horizon: 4, backtest: true, json }, (line) => lines.push(line));
    expect(JSON.parse(await readFile(json, 'utf8'))).toEqual(report);
    expect(Object.keys(report.methods)).toEqual(['shelfwise', 'shelfwise, no gate', ...demandBaselines(stepDays).keys()]);
    expect(report).toMatchObject({ series: 2, windows: 3, horizon: 4 } satisfies Partial<ForecastReport>);
    for (const scores of Object.values(report.methods)) {
      expect(scores.items).toBe(2);
      for (const metric of ['mase', 'rmsse', 'bias', 'smape', 'coverage80'] as const) expect(Number.isFinite(scores[metric])).toBe(true);
      expect(scores.coverage80).toBeGreaterThanOrEqual(0);
      expect(scores.coverage80).toBeLessThanOrEqual(1);
    }
    expect(report.forecasts[0]).toMatchObject({ item: 'steady' });
    expect(report.forecasts[0]!.dates[0]).toBe(firstDate);
    for (const { mean, low, median, high } of report.forecasts) {
      for (let step = 0; step < 4; step++) {
        expect(mean[step]).toBeGreaterThanOrEqual(0);
        expect(low[step]).toBeGreaterThanOrEqual(0);
        expect(median[step]).toBeGreaterThanOrEqual(low[step]!);
        expect(high[step]).toBeGreaterThanOrEqual(median[step]!);
      }
    }
    expect(lines.join('\n')).toContain(`scale of MASE, RMSSE and bias: seasonal naive, ${season}`);
    expect(lines.filter((line) => line.startsWith('shelfwise'))).toHaveLength(2);
    // The toy pack has learnt nothing: a simple method answers, and the report says so.
    expect(report.gate.off).toEqual(report.forecasts.filter(({ by }) => by === 'baseline').map(({ item }) => item));
    expect(report.gate.offInBacktest).toHaveLength(3);
    expect(lines.join('\n')).toMatch(report.gate.off.length > 0 ? `is off for ${report.gate.off.length} of 2 series` : 'is on for all 2 series');
    expect(lines[0]).toMatch(/^# \d+ values unknown, \d+ of them imputed \((median-by-weekday|kalman)\); \d+ outliers in \d+ series marked \(hampel\) and winsorised$/);
    expect(report.cleaning.unknown).toBe(file === 'weekly.csv' ? 10 : 30);
    expect(report.cleaning.imputed).toBe(report.cleaning.unknown);
  });

  it('lists the forecasts without a backtest', async () => {
    const lines: string[] = [];
    const report = await runForecast({ pack: inFolder('pack'), series: inFolder('weekly.csv'), horizon: 2 }, (line) => lines.push(line));
    expect(report.methods).toEqual({});
    expect(lines[1]).toBe('item\tdate\tlow\tmedian\thigh\tmean');
    expect(lines.slice(2, 6).map((line) => line.split('\t').slice(0, 2))).toEqual([['steady', '2011-10-10'], ['steady', '2011-10-17'], ['0042', '2011-10-10'], ['0042', '2011-10-17']]);
    expect(lines).toHaveLength(7);
  });

  it('answers series that are too short to judge, and says that it could not', async () => {
    await writeFile(inFolder('short.csv'), csvOf(9, 7));
    const lines: string[] = [];
    const report = await runForecast({ pack: inFolder('pack'), series: inFolder('short.csv'), horizon: 2 }, (line) => lines.push(line));
    expect(report.gate).toEqual({ origins: 0, off: [], fallback: null, offInBacktest: [] });
    expect(report.forecasts.map(({ by }) => by)).toEqual(['shelfwise', 'shelfwise']);
    expect(lines.at(-1)).toContain('too short to judge');
  });

  it('says which outliers it marked, by date, and does as it is told', async () => {
    const rows = Array.from({ length: 40 }, (_, week) => `a,${new Date(Date.UTC(2011, 0, 3) + week * 7 * DAY_MS).toISOString().slice(0, 10)},${week === 20 ? 500 : 10 + (week % 5)}`);
    await writeFile(inFolder('spike.csv'), ['item,date,value', ...rows].join('\n'));
    const forecast = (flags: object) => runForecast({ pack: inFolder('pack'), series: inFolder('spike.csv'), horizon: 2, ...flags }, () => undefined);
    const { cleaning } = await forecast({});
    expect(cleaning).toMatchObject({ unknown: 0, outliers: 1, action: 'winsorise', marked: [{ item: 'a', dates: ['2011-05-23'] }] });
    expect((await forecast({ outliers: 'keep', gaps: 'mask', detector: 'iqr' })).cleaning).toMatchObject({ outliers: 1, action: 'keep', imputation: 'mask', outlierMethod: 'iqr' });
  });

  it('refuses a horizon that is none and a backtest without a past', async () => {
    const options = { pack: inFolder('pack'), series: inFolder('weekly.csv') };
    await expect(runForecast({ ...options, horizon: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(runForecast({ ...options, horizon: 35, backtest: true })).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });
});

describe('daily forecasts', () => {
  const lastValue = demandBaselines(7).get('last value')!;
  const daysOf = (values: SalesSeries['values']): SalesSeries => ({ values, asOf: 0, stepDays: 1 });

  it('fold days into whole weeks that end with the last day', () => {
    const week = [1, 2, 3, 4, 5, 6, 7];
    const values = Float64Array.of(99, ...week, 10, NaN, 10, NaN, 10, NaN, 10);
    expect(foldWeeks({ values, start: 0 })).toEqual({ values: [28, 70] });
    expect(foldWeeks({ values, start: 3 })).toEqual({ values: [null, 70] });
  });

  it('follow the pattern within the week', async () => {
    const values = Array.from({ length: 70 }, (_, day) => (day % 7 === 0 ? 30 : 5));
    const [forecast] = await createDailyForecaster(lastValue).forecast([daysOf(values)], { horizon: 9 });
    expect(forecast!.median[0]).toBeCloseTo(30, -1);
    expect(forecast!.median[7]).toBeCloseTo(30, -1);
    expect(forecast!.median[1]).toBeLessThan(8);
  });

  it('answer series shorter than a week', async () => {
    const [forecast] = await createDailyForecaster(lastValue).forecast([daysOf([3, null])], { horizon: 8 });
    expect(forecast!.median.every(Number.isFinite)).toBe(true);
  });
});
