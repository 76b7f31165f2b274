import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import { BEHAVIOUR_WEIGHTS, type SessionContext } from '../rank/simple/simple-ranker.ts';
import type { BehaviourKind } from '../types.ts';
import type { DividedLog, DividedRows, TargetContext } from './protocol.ts';

/** A log of a catalogue's items, with what rankers read of it. */
export interface EvaluationLog extends DividedLog {
  /** [rows] indexes into BEHAVIOUR_KINDS. */
  readonly kind: Uint8Array;
  /** [rows] units, NaN where unknown. */
  readonly quantity: Float32Array | null;
}

/** One question: which item did the shopper take next? */
export interface EvaluationQuery {
  /** Row of the log that answers it. */
  readonly row: number;
  readonly target: number;
  readonly shopper: number;
  /** Unix seconds (or a position, where the log has no times) of the newest behaviour that is known. */
  readonly now: number;
  readonly context: TargetContext;
  /** The same as simple rankers read it. */
  readonly known: SessionContext;
}

/** A ranker of the whole catalogue. */
export interface CatalogueRanker {
  readonly name: string;
  readonly probability: 'softmax' | 'share';
  /** Overwrites out, [items]: higher is better. */
  score(query: EvaluationQuery, out: Float32Array): Promise<void> | void;
}

const PURCHASE = BEHAVIOUR_KINDS.indexOf('purchase');
const CART = BEHAVIOUR_KINDS.indexOf('cart');

/** 1 where a row says that the shopper likes the item, so that it can be counted and asked for: [rows]. */
export function positiveRows(kind: Uint8Array): Uint8Array {
  return kind.map((index) => (BEHAVIOUR_WEIGHTS[BEHAVIOUR_KINDS[index]!] > 0 ? 1 : 0));
}

/** A row's kind as it stands when a target is asked for: by time, lines of the order that the target belongs to lie in the basket and are not bought yet, as in training. */
export function kindAsOf({ kind }: EvaluationLog, { protocol, session }: DividedRows, row: number, target: number): BehaviourKind {
  const isOpen = protocol === 'temporal' && kind[row] === PURCHASE && session[row] === session[target];
  return BEHAVIOUR_KINDS[isOpen ? CART : kind[row]!]!;
}

/** A target as a question, asked right after the behaviour before it: when its answer came is not known. The first of a session is asked as the session starts. */
export function createQuery(log: EvaluationLog, divided: DividedRows, row: number): EvaluationQuery {
  const context = divided.contextOf(row);
  const now = log.time[context.session.at(-1) ?? row]!;
  const weighted = (rows: Int32Array): { item: number; weight: number; time: number }[] =>
    Array.from(rows, (at) => ({ item: log.item[at]!, weight: BEHAVIOUR_WEIGHTS[kindAsOf(log, divided, at, row)], time: log.time[at]! })).filter(({ weight }) => weight > 0);
  return { row, target: log.item[row]!, shopper: log.user[row]!, now, context, known: { session: weighted(context.session), history: weighted(context.history), now } };
}
