import type { DemandSeries, Forecast } from '../types.ts';

/** What an item's series says about its sales, past and next, in units per week; null where that is not known. */
export interface ItemDemand {
  /** Median forecast of next week; null without a demand model. */
  readonly forecast: number | null;
  readonly lastWeek: number | null;
  readonly lastFourWeeks: number | null;
}

/** The newest known week and the mean of the newest four; unknown weeks are skipped, returns beyond sales are no sale. */
export function recentSales({ values }: DemandSeries): Pick<ItemDemand, 'lastWeek' | 'lastFourWeeks'> {
  const known: number[] = [];
  for (let week = values.length - 1; week >= 0 && known.length < 4; week--) {
    const value = values[week];
    if (typeof value === 'number' && Number.isFinite(value)) known.push(Math.max(0, value));
  }
  const [lastWeek] = known;
  if (lastWeek === undefined) return { lastWeek: null, lastFourWeeks: null };
  return { lastWeek, lastFourWeeks: known.reduce((sum, value) => sum + value, 0) / known.length };
}

/** The part of the demand model that is needed here. */
export interface DemandForecaster {
  forecast(series: readonly DemandSeries[], options?: { readonly horizon?: number }): Promise<Forecast[]>;
}

export interface ItemSeries {
  readonly id: string;
  readonly series: DemandSeries;
}

/** Items whose newest forecast is kept: some megabytes with a year of weeks each. */
const CAPACITY = 20_000;

/** Forecasts of items: each series once, all new ones of a request in one call of the model. */
export class ItemDemandCache {
  readonly #model: DemandForecaster | null;
  /** By item id, oldest first. */
  readonly #known = new Map<string, { readonly series: DemandSeries; readonly demand: ItemDemand }>();

  constructor(model: DemandForecaster | null) {
    this.#model = model;
  }

  /** -> one per item, in order. @throws RecommenderError what the model threw. */
  async demandOf(items: readonly ItemSeries[]): Promise<ItemDemand[]> {
    const known = items.map(({ id, series }) => {
      const newest = this.#known.get(id);
      return newest && isSameSeries(newest.series, series) ? newest.demand : undefined;
    });
    const fresh = items.filter((_, at) => known[at] === undefined);
    const forecasts = fresh.length === 0 ? [] : await this.#model?.forecast(fresh.map(({ series }) => series), { horizon: 1 });
    let next = 0;
    const answers = items.map(({ series }, at) => known[at] ?? { forecast: forecasts?.[next++]?.median[0] ?? null, ...recentSales(series) });
    items.forEach(({ id, series }, at) => this.#keep(id, series, answers[at]!));
    return answers;
  }

  clear(): void {
    this.#known.clear();
  }

  #keep(id: string, series: DemandSeries, demand: ItemDemand): void {
    this.#known.delete(id);
    this.#known.set(id, { series, demand });
    if (this.#known.size <= CAPACITY) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }
}

function isSameSeries(a: DemandSeries | undefined, b: DemandSeries): boolean {
  if (a === b) return true;
  return a !== undefined && a.asOf === b.asOf && a.values.length === b.values.length && a.values.every((value, week) => value === b.values[week]);
}
