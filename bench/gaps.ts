import { existsSync } from 'node:fs';
import { createPlainDevice } from '../src/cli/device.ts';
import { DemandModel } from '../src/forecast/demand.ts';
import { loadPack, packFile } from '../src/packs/load-pack.ts';
import { floatTensor } from '../src/packs/pack-tensors.ts';
import { readFileBytes } from '../src/packs/read-file-bytes.ts';
import { parseSafetensors } from '../src/lib/safetensors.ts';
import { RECOMMENDER_FILES } from '../src/rank/recommender-pack.ts';
import { judgeForecasts, judgeImputers } from './gaps/imputation.ts';
import { judgeDetectors, judgeTreatments } from './gaps/outliers.ts';
import { judgeOwnForecasts, judgeOwnForecastsAfterGaps } from './gaps/own-forecasts.ts';
import { readBestSellers } from './gaps/series.ts';
import type { Bench, BenchTableCell } from './harness.ts';
import { formatCellSection, writeSection } from './tables/format-table.ts';

const INTERACTIONS = 'demo/data/interactions.csv.gz';
const PACK = 'models/online-retail/pack.json';
const GAPS = new URL('GAPS.md', import.meta.url);

const PREAMBLE = [
  '# Gaps and outliers',
  'Written by `npm run bench -- gaps`: the 200 best sellers of Online Retail with 39 weeks of sales at least, purchases of fewer than 2,000 units, by day (closed days are zeros) and by week.',
  'Intervals are 95 % bootstrap intervals over items, of paired differences where two methods are named. Default of gaps, by days and by weeks: the least scaled MAE over all columns, as long as forecasts are not worse than with gaps left unknown; where the difference of two is within its interval, the one whose forecasts err less. Default of outliers, one for both: the least error of the forecast over all columns by days, which by weeks no other beats by more than its interval.',
].join('\n\n');

const ABOUT = {
  imputers:
    'A tenth of the known values is hidden: single ones, runs of 3 and 7, the same runs of 3 in all series, and in every second series the last 7 before an origin, where nothing later is known. Errors are divided by the mean change from one season (a week of days, one week) to the next.',
  forecasts:
    'A quarter of the newest values (8 weeks of days, 26 weeks) is hidden in runs of 3, then the mean of the next 14 days or 4 weeks is forecast; errors are divided by the mean sales of the item. `mask` leaves the values unknown.',
  detectors:
    'Three planted in the newest values (8 weeks of days, 26 weeks) of each history. Real orders of a wholesaler count as false alarms here, so that precision is a lower bound; `marked of all` is what is marked where nothing was planted. A zero is planted where nine tenths of the same weekdays have sales.',
  treatments: 'The same histories; the mean of the next 14 days or 4 weeks by two simple methods, errors divided by the mean sales of the item. Deleted values are imputed by the default.',
  gaps: 'The forecasts of `shelfwise forecast` where its file has gaps, by what they are filled with; outliers are kept. The demand LSTM is that of models/online-retail, which was trained on these series without gaps.',
  own: `Nothing hidden or planted: what winsorising or deleting by the default detector does to the forecasts of \`shelfwise forecast\`, with the demand LSTM of models/online-retail, which has read these series as they are.`,
} as const;

/** Which imputer and which treatment of outliers is the default of `shelfwise forecast`, on real series. Writes bench/GAPS.md. */
export const gaps: Bench = async () => {
  if (!existsSync(INTERACTIONS)) {
    console.log(`Skipped: ${INTERACTIONS} is not there.`);
    return { rows: [], tables: [] };
  }
  const device = await createPlainDevice();
  const tensors = parseSafetensors(packFile(await loadPack(PACK, readFileBytes), RECOMMENDER_FILES.demand));
  const model = DemandModel.load(new Map(Array.from(tensors, ([name, { shape }]) => [name, { shape, values: floatTensor(tensors, name, shape) }])), device);
  const tables: BenchTableCell[] = [];
  for (const data of await readBestSellers(INTERACTIONS)) {
    const sections = [
      [ABOUT.imputers, judgeImputers(data)],
      [ABOUT.forecasts, judgeForecasts(data)],
      [ABOUT.detectors, judgeDetectors(data)],
      [ABOUT.treatments, judgeTreatments(data)],
      [ABOUT.gaps, await judgeOwnForecastsAfterGaps(data, model)],
      [ABOUT.own, await judgeOwnForecasts(data, model)],
    ] as const;
    for (const [about, cells] of sections) {
      await writeSection(GAPS, PREAMBLE, formatCellSection(cells[0]!.task, about, cells));
      tables.push(...cells);
    }
  }
  model.dispose();
  device.dispose();
  return { rows: [], tables };
};
