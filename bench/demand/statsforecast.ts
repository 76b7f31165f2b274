import { readFile } from 'node:fs/promises';
import { SERIES_METRICS } from '../../src/forecast/demand-evaluation.ts';
import type { DemandMetric, SeriesScores } from '../../src/forecast/demand-evaluation.ts';
import type { DemandTask } from './data.ts';

const FIGURES = new URL('statsforecast.json', import.meta.url);

/** What training/demand_classical.py wrote: by task and model, figures per product. */
type Figures = Readonly<Record<string, Readonly<Record<string, { readonly items: readonly string[] } & Readonly<Partial<Record<DemandMetric, readonly (number | null)[]>>>>>>>;

/** The figures are rounded to five digits. */
const TOLERANCE = 1e-5;

/**
 * Figures of statsforecast's models in the order of `items`, NaN for products that a model was not asked for.
 * @throws Error when its seasonal naive has other figures than ours, which means other series, origins or metrics.
 */
export async function readStatsforecast({ name }: DemandTask, items: readonly string[], seasonalNaive: SeriesScores): Promise<Map<string, SeriesScores>> {
  const models = (JSON.parse(await readFile(FIGURES, 'utf8')) as Figures)[name] ?? {};
  const read = new Map(
    Object.entries(models).map(([model, figures]) => {
      const rows = new Map(figures.items.map((item, row) => [item, row]));
      const column = (metric: DemandMetric): Float64Array => Float64Array.from(items, (item) => figures[metric]?.[rows.get(item) ?? NaN] ?? NaN);
      return [model, Object.fromEntries(SERIES_METRICS.map((metric) => [metric, column(metric)])) as Record<DemandMetric, Float64Array>];
    }),
  );
  const check = read.get('SeasonalNaive');
  for (const metric of ['mase', 'rmsse', 'bias', 'smape'] as const) {
    const same = check?.[metric].every((value, row) => Math.abs(value - seasonalNaive[metric][row]!) < TOLERANCE);
    if (same !== true) throw new Error(`${name}: ${metric} of statsforecast's seasonal naive is not ours; run bench/demand/export.ts and training/demand_classical.py again.`);
  }
  read.delete('SeasonalNaive');
  return new Map(Array.from(read, ([model, scores]) => [`statsforecast: ${model}`, scores]));
}
