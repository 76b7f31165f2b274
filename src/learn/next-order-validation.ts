import { plainStream, type EventStream } from './augmentation.ts';
import type { Histories } from './histories.ts';
import type { InterestNetwork } from './interest-network.ts';
import { cutIntoChunks } from './lanes.ts';
import { askForOrders, baselineDays, meanAbsoluteError, type OrderQuestions } from './next-order.ts';
import { heldFrom } from './split-log.ts';

/** Mean absolute errors in days over the same questions. */
export interface OrderErrors {
  /** Orders of the validation part that follow an order. */
  readonly questions: number;
  readonly model: number;
  /** Of the median gap between orders of the training part. */
  readonly median: number;
  /** Of each shopper's own median gap so far. */
  readonly ownMedian: number;
}

const READ_EVENTS = 300; // before a shopper's last event, as in the validation of the next item

/**
 * Asks after each order when the next one comes, of those that come in the validation part; null where none does. Of a shopper's
 * last order the log has no answer, so that it is neither learnt nor asked nor in a median: all three say how soon those come back who do.
 */
export function measureOrders(network: InterestNetwork, { training, refit }: { readonly training: Histories; readonly refit: Histories }): OrderErrors | null {
  const all = askForOrders(refit);
  const baselines = baselineDays(all, training);
  const held = heldFrom({ training, refit });
  const isAsked = (at: number): boolean => all.answer[at]! >= held[all.user[at]!]! && all.event[at]! >= refit.offsets[all.user[at]! + 1]! - READ_EVENTS;
  const asked = [...all.event.keys()].filter(isAsked);
  if (asked.length === 0) return null;
  const predicted = predictOrders(network, refit, all, asked);
  const actual = asked.map((at) => all.days[at]!);
  return {
    questions: asked.length,
    model: meanAbsoluteError(predicted, actual),
    median: meanAbsoluteError(asked.map((at) => baselines.median[at]!), actual),
    ownMedian: meanAbsoluteError(asked.map((at) => baselines.ownMedian[at]!), actual),
  };
}

function predictOrders(network: InterestNetwork, histories: Histories, { event, user }: OrderQuestions, asked: readonly number[]): number[] {
  const place = new Map(asked.map((at, index) => [event[at]!, index]));
  const predicted = new Array<number>(asked.length).fill(0);
  function* streams(): Generator<EventStream, undefined> {
    for (const one of new Set(asked.map((at) => user[at]!))) {
      const end = histories.offsets[one + 1]!;
      // A row has read the event before the one that it predicts, whose label it bears.
      yield plainStream(histories, Math.max(histories.offsets[one]!, end - READ_EVENTS), end, { labelOf: (next) => place.get(next - 1) ?? -1 });
    }
    return undefined;
  }
  network.resetState();
  for (const chunk of cutIntoChunks(streams(), network.shape.lanes, network.shape.steps)) {
    network.predictDays(chunk, (row) => chunk.targetLabel[row]! >= 0, (row, days) => (predicted[chunk.targetLabel[row]!] = days));
  }
  network.resetState();
  return predicted;
}
