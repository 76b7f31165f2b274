import type { Ranker, Shopper } from '../rank/ranker.ts';
import type { ShopperEvent } from '../rank/shopper-view.ts';
import type { DividedRows } from './protocol.ts';
import { kindAsOf, type EvaluationLog, type EvaluationQuery } from './query.ts';

/** Events that features look at, as in service; the state has seen all of them. */
const FEATURE_EVENTS = 2_000;

/** Events and the state after them. */
interface Replayed {
  readonly events: readonly ShopperEvent[];
  readonly state: Float32Array;
}

export interface ReplayOptions {
  readonly ranker: Pick<Ranker, 'advance' | 'initialState'>;
  readonly log: EvaluationLog;
  readonly divided: DividedRows;
  /** An item as the shopper saw it. */
  readonly itemOf: (item: number) => Pick<ShopperEvent, 'itemId' | 'text' | 'index' | 'pricePosition' | 'textVector'>;
}

/** Replays shoppers' events as the device would have seen them; questions of one shopper in order of time cost one step each. */
export class ShopperReplay {
  readonly #options: ReplayOptions;
  #history: Replayed | undefined;
  #session: Replayed | undefined;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  /** The shopper at the moment of a question. */
  async shopperAt({ row: target, context }: EvaluationQuery): Promise<Shopper> {
    const start: Replayed = { events: [], state: await this.#options.ranker.initialState() };
    this.#history = await this.#extend(this.#history, start, this.#eventsOf(context.history, target));
    const before = this.#history;
    const events = [...before.events, ...this.#eventsOf(context.session, target)];
    this.#session = await this.#extend(this.#session, before, events);
    return { events: this.#session.events.slice(-FEATURE_EVENTS), state: this.#session.state };
  }

  /** Goes on from `known` where its events are the first of these, else from `base`. */
  async #extend(known: Replayed | undefined, base: Replayed, events: readonly ShopperEvent[]): Promise<Replayed> {
    const from = known && known.events.length >= base.events.length && startsWith(events, known.events) ? known : base;
    const further = events.slice(from.events.length).filter(({ kind }) => kind !== 'impression');
    const last = from.events.findLast(({ kind }) => kind !== 'impression');
    return { events, state: further.length === 0 ? from.state : await this.#options.ranker.advance(from.state, further, last?.time ?? null) };
  }

  #eventsOf(rows: Int32Array, target: number): ShopperEvent[] {
    const { log, divided, itemOf } = this.#options;
    return Array.from(rows, (row) => ({ ...itemOf(log.item[row]!), kind: kindAsOf(log, divided, row, target), time: log.time[row]! }));
  }
}

function startsWith(events: readonly ShopperEvent[], known: readonly ShopperEvent[]): boolean {
  return known.length <= events.length && known.every(({ itemId, kind, time }, at) => itemId === events[at]!.itemId && kind === events[at]!.kind && time === events[at]!.time);
}
