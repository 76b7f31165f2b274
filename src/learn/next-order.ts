import { SESSION_GAP_SECONDS } from '../behaviour/sequence.ts';
import { medianOf } from '../lib/order-statistics.ts';
import { PURCHASE, type Histories } from './histories.ts';

/** The events after which it is asked when the shopper orders again: the last of each visit with a purchase, where the log has the answer. */
export interface OrderQuestions {
  readonly event: readonly number[];
  readonly user: readonly number[];
  /** Days to the next order, and the event that begins it. */
  readonly days: readonly number[];
  readonly answer: readonly number[];
}

const SECONDS_PER_DAY = 86_400;

/**
 * Days from each event to the shopper's next order, a purchase in a later visit, so that lines of one invoice do not count as the next;
 * NaN where the log ends before it, [events].
 */
export function daysToNextOrder(histories: Histories): Float32Array {
  const { time } = histories;
  const days = new Float32Array(time.length);
  visitBackwards(histories, (event, order) => (days[event] = order < 0 ? NaN : (time[order]! - time[event]!) / SECONDS_PER_DAY));
  return days;
}

/** What is asked of the histories, in their order. */
export function askForOrders(histories: Histories): OrderQuestions {
  const { time } = histories;
  const asked: { event: number; user: number; days: number; answer: number }[] = [];
  visitBackwards(histories, (event, answer, { user, endsOrder }) => {
    if (endsOrder && answer >= 0) asked.push({ event, user, days: (time[answer]! - time[event]!) / SECONDS_PER_DAY, answer });
  });
  asked.reverse();
  return { event: asked.map(({ event }) => event), user: asked.map(({ user }) => user), days: asked.map(({ days }) => days), answer: asked.map(({ answer }) => answer) };
}

/** Median of the days between orders; null where nobody ordered twice. */
export function medianOrderGap(histories: Histories): number | null {
  return medianOrNull(askForOrders(histories).days);
}

/**
 * What needs no model says: the median gap of all orders that `learnt` has, and the shopper's own median so far (all shoppers' before
 * there is one), for each of the questions.
 */
export function baselineDays(questions: OrderQuestions, learnt: Histories): { readonly median: readonly number[]; readonly ownMedian: readonly number[] } {
  const middle = medianOrderGap(learnt) ?? 0;
  const gaps: number[] = [];
  let user = -1;
  const ownMedian = questions.days.map((days, at) => {
    if (questions.user[at] !== user) gaps.length = 0;
    user = questions.user[at]!;
    const own = medianOrNull(gaps) ?? middle;
    gaps.push(days); // known by the time of the next question
    return own;
  });
  return { median: questions.days.map(() => middle), ownMedian };
}

export function meanAbsoluteError(predicted: readonly number[], actual: readonly number[]): number {
  return predicted.reduce((sum, value, at) => sum + Math.abs(value - actual[at]!), 0) / Math.max(1, predicted.length);
}

/** Visits events of each shopper from the last to the first, each with the first purchase of a later visit, or -1. */
function visitBackwards(
  { users, offsets, time, kind }: Histories,
  visit: (event: number, order: number, place: { readonly user: number; readonly endsOrder: boolean }) => void,
): void {
  for (let user = users - 1; user >= 0; user--) {
    const [first, end] = [offsets[user]!, offsets[user + 1]!];
    let order = -1;
    let own = -1; // the first purchase of this visit among the events behind
    for (let event = end - 1; event >= first; event--) {
      const endsVisit = event + 1 === end || time[event + 1]! - time[event]! > SESSION_GAP_SECONDS;
      if (endsVisit && own >= 0) order = own;
      if (endsVisit) own = -1;
      visit(event, order, { user, endsOrder: endsVisit && hasPurchase(event, first) });
      if (kind[event] === PURCHASE) own = event;
    }
  }

  function hasPurchase(last: number, first: number): boolean {
    for (let event = last; event >= first && (event === last || time[event + 1]! - time[event]! <= SESSION_GAP_SECONDS); event--) {
      if (kind[event] === PURCHASE) return true;
    }
    return false;
  }
}

function medianOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : medianOf(values);
}
