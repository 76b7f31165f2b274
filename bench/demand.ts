import { existsSync } from 'node:fs';
import { readInteractions } from '../src/cli/data.ts';
import { createWasmDevice } from '../src/compute/wasm/device.ts';
import { createWasmTrainingKernels } from '../src/compute/wasm/training.ts';
import { DEMAND_BASELINES, reachesBackASeason } from '../src/forecast/demand-baselines.ts';
import { backtestDemand, bootstrapInterval, DEMAND_METRICS, endEarlier } from '../src/forecast/demand-evaluation.ts';
import { DemandModel } from '../src/forecast/demand.ts';
import { weeklySales } from '../src/forecast/weekly-sales.ts';
import { trainDemand } from '../src/learn/demand-training.ts';
import type { Bench, BenchTableCell } from './harness.ts';

const INTERACTIONS = 'demo/data/interactions.csv.gz';
const SECONDS_PER_DAY = 86_400;

/** Training ends, and the five whole weeks that are forecast lie between here and the end of the log. */
const TEST_FROM = Date.UTC(2011, 10, 1) / 1000;
const TEST_UNTIL = Date.UTC(2011, 11, 9) / 1000;
const TEST_WEEKS = 5;

/** The comparisons whose difference is taken item by item. */
const PAIRED_METRICS = ['mase', 'pinball'] as const;

/** Next week's sales of Online Retail's products, one week at a time from November 2011 on, by models that saw nothing after October. */
export const demand: Bench = async () => {
  if (!existsSync(INTERACTIONS)) {
    console.log(`Skipped: ${INTERACTIONS} is not there.`);
    return { rows: [], tables: [] };
  }
  const { items, item, time, quantity } = await readInteractions(INTERACTIONS);
  const lines = { item, time, quantity: quantity ?? new Float32Array(item.length).fill(1) };
  const training = Array.from({ length: 7 }, (_, day) => weeklySales(lines, items.length, TEST_FROM - day * SECONDS_PER_DAY)).flat();
  console.log(`Training on the weeks before November of ${items.length} products, from each weekday …`);
  const device = await createWasmDevice();
  const { tensors, report } = await trainDemand(training, {
    kernels: createWasmTrainingKernels(),
    device,
    onEpoch: ({ phase, epoch, trainLoss, holdOutLoss }) => console.log(`${phase} ${epoch}: loss ${trainLoss.toFixed(4)}${holdOutLoss === null ? '' : `, held out ${holdOutLoss.toFixed(4)}`}`),
  });
  console.log(`Epoch ${report.bestEpoch} was the best on October.`);

  const series = weeklySales(lines, items.length, TEST_UNTIL);
  const seasonal = Array.from({ length: TEST_WEEKS }, (_, week) => series.filter((one) => reachesBackASeason(endEarlier(one, week + 1))).length);
  const products = seasonal.reduce((sum, count) => sum + count, 0);
  console.log(`Seasonal naive knows the week a year before in ${products} of ${TEST_WEEKS * items.length} forecasts; elsewhere it is the last value.`);
  const model = DemandModel.load(tensors, device);
  const options = { horizon: 1, windows: TEST_WEEKS, step: 1 };
  const ours = await backtestDemand(model, series, options);
  const tables: BenchTableCell[] = [];
  for (const [ranker, forecaster] of Object.entries({ shelfwise: model, ...DEMAND_BASELINES })) {
    const scores = await backtestDemand(forecaster, series, options);
    for (const metric of DEMAND_METRICS) {
      const [low, high] = scores.ci[metric];
      tables.push({ task: 'next week’s sales', ranker, metric, value: scores[metric], low, high, n: scores.items });
    }
    if (ranker === 'shelfwise') continue;
    for (const metric of PAIRED_METRICS) {
      const differences = Array.from(ours.perItem[metric], (value, row) => value - scores.perItem[metric][row]!).filter((difference) => !Number.isNaN(difference));
      const [low, high] = bootstrapInterval(differences);
      const value = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
      tables.push({ task: 'paired difference', ranker: `shelfwise - ${ranker}`, metric, value, low, high, n: differences.length });
    }
  }
  model.dispose();
  device.dispose();
  return { rows: [], tables };
};
