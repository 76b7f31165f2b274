import { toItem } from '../behaviour/event-log.ts';
import { itemText } from '../encoder/item-text.ts';
import type { VectorCache } from '../encoder/vector-cache.ts';
import type { ItemDemand, ItemDemandCache } from '../forecast/item-demand.ts';
import type { Candidate, DemandSeries } from '../types.ts';
import type { CandidateView } from './features.ts';

export interface CandidateSources {
  readonly vectors: Pick<VectorCache, 'vectorsOf' | 'approximate' | 'provisionalOf'>;
  readonly demand: Pick<ItemDemandCache, 'demandOf'>;
  /** Row of an item in the pack's catalogue, or -1. */
  readonly indexOf: (itemId: string) => number;
  readonly pricePosition: (price: number | undefined) => number | null;
}

/** A candidate with what has been found out about it. */
interface Entry {
  readonly id: string;
  readonly index: number;
  readonly item: Candidate;
  readonly series: DemandSeries | null;
  readonly hasScore: boolean;
  vector: Float32Array | undefined;
  /** The vector stands in for one that is still to be made. */
  isProvisional: boolean;
  demand: ItemDemand | null;
  view: CandidateView | undefined;
}

const NO_DEMAND: ItemDemand = { forecast: null, lastWeek: null, lastFourWeeks: null };

/** Reads what a shop sends into what ranking reads; an object that comes again, as in one thread, is not read again. */
export class CandidateReader {
  readonly #sources: CandidateSources;
  #entries = new WeakMap<object, Entry>();

  constructor(sources: CandidateSources) {
    this.#sources = sources;
  }

  read(candidates: readonly unknown[]): CandidateList {
    return new CandidateList(candidates.map((candidate) => this.#entry(candidate)), this.#sources);
  }

  /** Forgets what was found out, after vectors were erased or replaced. */
  clear(): void {
    this.#entries = new WeakMap();
  }

  #entry(candidate: unknown): Entry | null {
    if (typeof candidate !== 'object' || candidate === null) return null;
    const known = this.#entries.get(candidate);
    if (known) return known;
    const item = toItem(candidate);
    if (item === undefined) return null;
    const { score, demand, vector }: Partial<Candidate> = candidate;
    const id = String(item.id);
    const entry: Entry = {
      id,
      index: this.#sources.indexOf(id),
      item: vector ? { ...item, vector } : item,
      series: isSeries(demand) ? demand : null,
      hasScore: Number.isFinite(score),
      vector: undefined,
      isProvisional: false,
      demand: null,
      view: undefined,
    };
    this.#entries.set(candidate, entry);
    return entry;
  }
}

/** The candidates of one request, in the server's order. */
export class CandidateList {
  readonly #entries: readonly (Entry | null)[];
  readonly #sources: CandidateSources;

  constructor(entries: readonly (Entry | null)[], sources: CandidateSources) {
    this.#entries = entries;
    this.#sources = sources;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** Item id of each server position; empty for what is not an object with an id. */
  get ids(): string[] {
    return this.#entries.map((entry) => entry?.id ?? '');
  }

  /** The texts that have no vectors of their own yet, in the server's order; those of items outside the pack's catalogue on request. */
  missingTexts({ unseenOnly = false } = {}): string[] {
    const missing = new Set<string>();
    const waiting = this.#waiting();
    const vectors = this.#sources.vectors.vectorsOf(waiting.map(({ item }) => item));
    waiting.forEach((entry, at) => {
      const vector = vectors[at];
      if (vector !== undefined) setVector(entry, vector, false);
      else if (!(unseenOnly && entry.index >= 0)) missing.add(itemText(entry.item));
    });
    return [...missing];
  }

  /** Gives those that wait for their vectors provisional ones, where there are any to be had. */
  async approximate(): Promise<void> {
    const waiting = this.#waiting().filter(({ vector }) => vector === undefined);
    if (waiting.length === 0) return;
    const { vectors } = this.#sources;
    await vectors.approximate(waiting.map(({ item }) => itemText(item)));
    for (const entry of waiting) {
      const vector = vectors.provisionalOf(itemText(entry.item));
      if (vector !== undefined) setVector(entry, vector, true);
    }
  }

  /** Forecasts the demand of those that bring a series, in one call. @throws RecommenderError what the demand model threw. */
  async addDemand(): Promise<void> {
    const waiting = this.#entries.filter((entry): entry is Entry & { series: DemandSeries } => entry !== null && entry.series !== null && entry.demand === null);
    if (waiting.length === 0) return;
    const demands = await this.#sources.demand.demandOf(waiting);
    waiting.forEach((entry, at) => {
      entry.demand = demands[at]!;
      entry.view = undefined;
    });
  }

  /** Those that have vectors, as ranking reads them, and the server position of each. */
  rankable(): { readonly positions: readonly number[]; readonly views: readonly CandidateView[] } {
    const positions: number[] = [];
    const views: CandidateView[] = [];
    // Without scores the order of the list says nothing: it may be alphabetical.
    const isOrdered = this.#entries.some((entry) => entry?.hasScore === true);
    this.#entries.forEach((entry, position) => {
      if (!entry?.vector || (entry.vector.length === 0 && entry.index < 0)) return; // of an item known by nothing but its identity, and that not: no score
      positions.push(position);
      views.push(this.#view(entry, entry.vector, isOrdered ? position : null));
    });
    return { positions, views };
  }

  /** Those that the interest LSTM can score: in the pack's catalogue, or with a vector. */
  scorable(): { readonly id: string; readonly index: number; readonly vector: Float32Array | null }[] {
    return this.#entries.flatMap((entry) => {
      if (entry === null || (entry.index < 0 && entry.vector === undefined)) return [];
      return [{ id: entry.id, index: entry.index, vector: entry.vector ?? null }];
    });
  }

  #waiting(): Entry[] {
    return this.#entries.filter((entry): entry is Entry => entry !== null && (entry.vector === undefined || entry.isProvisional));
  }

  #view(entry: Entry, textVector: Float32Array, serverPosition: number | null): CandidateView {
    if (entry.view?.serverPosition === serverPosition) return entry.view;
    const { forecast, lastWeek, lastFourWeeks } = entry.demand ?? NO_DEMAND;
    entry.view = {
      id: entry.id,
      index: entry.index,
      textVector,
      title: itemText(entry.item),
      pricePosition: this.#sources.pricePosition(entry.item.price),
      demandForecast: forecast,
      lastWeek,
      lastFourWeeks,
      serverPosition,
    };
    return entry.view;
  }
}

function setVector(entry: Entry, vector: Float32Array, isProvisional: boolean): void {
  entry.vector = vector;
  entry.isProvisional = isProvisional;
  entry.view = undefined;
}

function isSeries(demand: DemandSeries | null | undefined): demand is DemandSeries {
  return typeof demand === 'object' && demand !== null && Array.isArray(demand.values);
}
