import { describe, expect, it } from 'vitest';
import { backtestDemand, demandMethods, forecastGated, originsWithin, OURS, OURS_UNGATED } from '../../../src/forecast/demand-backtest.ts';
import { demandBaselines } from '../../../src/forecast/demand-baselines.ts';
import type { DemandForecaster, SalesSeries } from '../../../src/forecast/demand-baselines.ts';
import { createRandom } from '../../../src/lib/random.ts';
import type { Forecast } from '../../../src/types.ts';

const DAY = 86_400;

/** 130 days of items, each of its own level. */
function sales(seed = 1, items = 4): SalesSeries[] {
  const random = createRandom(seed);
  return Array.from({ length: items }, (_, item) => ({
    values: Array.from({ length: 130 }, (__, day) => Math.max(0, Math.round(5 * (item + 1) + (day % 7) + 3 * random.normal()))),
    asOf: 1_000 * DAY,
    stepDays: 1,
  }));
}

/** The day-of-week mean, better than most, and what it was asked and said. */
function recording(): DemandForecaster & { readonly asked: SalesSeries[][]; readonly said: Forecast[][] } {
  const asked: SalesSeries[][] = [];
  const said: Forecast[][] = [];
  return {
    asked,
    said,
    async forecast(series, options) {
      asked.push([...series]);
      const forecasts = await demandBaselines(1).get('day-of-week mean')!.forecast(series, options);
      said.push(forecasts);
      return forecasts;
    },
  };
}

const OPTIONS = { horizon: 7, windows: 3 };

describe('backtest', () => {
  it('shows a forecaster nothing from an origin on', async () => {
    const ours = recording();
    const series = sales();
    await backtestDemand(demandMethods(ours, 1), series, OPTIONS);
    expect(ours.asked.map(([first]) => first!.values.length)).toEqual([7, 14, 21, 28, 35, 42, 49, 56, 63].map((back) => 130 - back));
    ours.asked.forEach((shown, window) => {
      expect(shown[1]!.values).toEqual(series[1]!.values.slice(0, 130 - 7 * (window + 1)));
      expect(shown[1]!.asOf).toBe((1_000 - 7 * (window + 1)) * DAY);
    });
  });

  it('never looks ahead: with another future, forecasts and gates are the same', async () => {
    const [series, changed] = [sales(), sales().map((one) => ({ ...one, values: one.values.map((value, day) => (day < 130 - 14 ? value : 1_000 - value!)) }))];
    const [before, after] = [recording(), recording()];
    const [plain, other] = [await backtestDemand(demandMethods(before, 1), series, OPTIONS), await backtestDemand(demandMethods(after, 1), changed, OPTIONS)];
    // The two newest origins are 7 and 14 days back: all that was said 14 days back and before is as it was, and not what was said 7 days back.
    expect(after.said.slice(1)).toEqual(before.said.slice(1));
    expect(after.said[0]).not.toEqual(before.said[0]);
    expect(other.gates.slice(1)).toEqual(plain.gates.slice(1));
    for (const forecaster of demandBaselines(1).values()) {
      const asOf = (all: readonly SalesSeries[]): SalesSeries[] => all.map((one) => ({ ...one, values: one.values.slice(0, 130 - 14) }));
      expect(await forecaster.forecast(asOf(changed), { horizon: 7 })).toEqual(await forecaster.forecast(asOf(series), { horizon: 7 }));
    }
  });

  it('puts ours first, with its gate and without, and every simple method beside it', async () => {
    const { methods, gate } = await backtestDemand(demandMethods(recording(), 1), sales(), OPTIONS);
    expect([...methods.keys()]).toEqual([OURS, OURS_UNGATED, ...demandBaselines(1).keys()]);
    expect(methods.get(OURS_UNGATED)).toEqual(methods.get('day-of-week mean'));
    expect(gate.origins).toBe(6);
  });

  it('switches a bad forecast off, and a simple one answers', async () => {
    const bad: DemandForecaster = { forecast: (series, { horizon }) => series.map(() => ({ mean: new Array<number>(horizon).fill(99), median: new Array<number>(horizon).fill(99), low: [], high: [] })) };
    const { methods, gate } = await backtestDemand(demandMethods(bad, 1), sales(), OPTIONS);
    expect(gate.on).toEqual([false, false, false, false]);
    expect(methods.get(OURS)!.mase).toEqual(methods.get(gate.fallback!.median)!.mase);
    const forecasts = await forecastGated(demandMethods(bad, 1), gate, sales(), 3);
    expect(forecasts.get(OURS)![0]!.median).toEqual(forecasts.get(gate.fallback!.median)![0]!.median);
  });

  it('leaves 56 days before the oldest origin', () => {
    expect(originsWithin(sales(), 7)).toBe(10);
    expect(originsWithin([{ values: new Array<number>(12).fill(1), asOf: 0, stepDays: 7 }], 4)).toBe(1);
    expect(originsWithin([], 4)).toBe(0);
  });
});
