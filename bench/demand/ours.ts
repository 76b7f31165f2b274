import { createWasmDevice } from '../../src/compute/wasm/device.ts';
import { createWasmTrainingKernels } from '../../src/compute/wasm/training.ts';
import { createDailyForecaster } from '../../src/forecast/daily-demand.ts';
import type { DemandForecaster } from '../../src/forecast/demand-baselines.ts';
import { DemandModel } from '../../src/forecast/demand.ts';
import { weeklySales } from '../../src/forecast/weekly-sales.ts';
import { trainDemand } from '../../src/learn/demand-training.ts';
import type { DemandData } from './data.ts';

const SECONDS_PER_DAY = 86_400;

/** A model is trained again so often, and then serves every origin until the next one: as a shop might, once in four weeks. */
const RETRAIN_DAYS = 28;

/** As many as the backtests' oldest origins ask for; before that, there is little log to learn from. */
const MODELS = 9;

/** Our model, as it is compared: it learns from all sales of the log before `asOf`, and forecasts daily and weekly series. */
async function trainOurs({ lines, itemCount }: DemandData, asOf: number): Promise<DemandForecaster> {
  const series = Array.from({ length: 7 }, (_, day) => weeklySales(lines, itemCount, asOf - day * SECONDS_PER_DAY)).flat();
  const device = await createWasmDevice();
  const { tensors } = await trainDemand(series, { kernels: createWasmTrainingKernels(), device });
  const weekly = DemandModel.load(tensors, device);
  const daily = createDailyForecaster(weekly);
  return { forecast: (asked, options) => (asked[0]?.stepDays === 1 ? daily : weekly).forecast(asked, options) };
}

/** Ours at every origin: by the newest model that was trained before it, so that no weight has seen what is forecast. */
export function createOurs(data: DemandData, end: number): DemandForecaster {
  const models = new Map<number, Promise<DemandForecaster>>(); // by what they are as of
  const train = (asOf: number): Promise<DemandForecaster> => {
    console.log(`Training on the sales before ${new Date(asOf * 1000).toISOString().slice(0, 10)} …`);
    return trainOurs(data, asOf);
  };
  return {
    async forecast(series, options) {
      // The newest cut-off that is not after the origin.
      const back = Math.max(0, Math.ceil((end - (series[0]?.asOf ?? end)) / SECONDS_PER_DAY / RETRAIN_DAYS));
      if (back > MODELS) throw new Error(`No model is trained before ${RETRAIN_DAYS * MODELS} days ago.`);
      const asOf = end - back * RETRAIN_DAYS * SECONDS_PER_DAY;
      const model = models.get(asOf) ?? train(asOf);
      models.set(asOf, model);
      return (await model).forecast(series, options);
    },
  };
}
