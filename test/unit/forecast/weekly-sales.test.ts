import { describe, expect, it } from 'vitest';
import { weeklySales } from '../../../src/forecast/weekly-sales.ts';

const DAY = 86_400;

describe('weekly sales', () => {
  it('are counted back from the day of asOf; what comes later is not looked at', () => {
    const asOf = 30 * DAY + 5_000;
    const lines = {
      item: Int32Array.of(0, 0, 0, 1, 1, 0),
      time: Float64Array.of(30 * DAY, 30 * DAY - 1, 23 * DAY, 17 * DAY, 29 * DAY, 1 * DAY),
      quantity: Float32Array.of(100, 2, 3, 4, NaN, 50),
    };
    expect(weeklySales(lines, 3, asOf, { from: 2 * DAY })).toEqual([
      { measure: 'sales', asOf: 30 * DAY, stepDays: 7, values: [0, 0, 0, 5] }, // first sold on day 1
      { measure: 'sales', asOf: 30 * DAY, stepDays: 7, values: [null, null, 4, 0] },
      { measure: 'sales', asOf: 30 * DAY, stepDays: 7, values: [null, null, null, null] },
    ]);
  });
});
