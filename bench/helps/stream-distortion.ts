import type { EventStream } from '../../src/learn/augmentation.ts';
import type { Chunk } from '../../src/learn/lanes.ts';
import type { Random } from '../../src/lib/random.ts';
import { hideEvents } from '../../src/learn/hidden-events.ts';

/** How a stream is distorted before it is learnt from (Xie et al. 2022, "CL4SRec", section 3.2.1); the chances are per stream. */
export interface DistortionOptions {
  /** Chance that only a stretch of the events is read. */
  readonly crop: number;
  /** Length of that stretch as a share of the stream. */
  readonly cropShare: number;
  /** Chance that each event's item and features are hidden when it is read; it is still to be predicted. */
  readonly mask: number;
  /** Chance that a stretch of the events is shuffled. */
  readonly reorder: number;
  readonly reorderShare: number;
}

export const NO_DISTORTION: DistortionOptions = { crop: 0, cropShare: 0.6, mask: 0, reorder: 0, reorderShare: 0.3 };

const LEAST_EVENTS = 4; // of shorter streams nothing can be spared
const AFTER_MASKED = 1; // label of the event that follows a masked one

/** A distorted copy of a stream; the stream itself where no chance comes up. What it masks is hidden by `hideMasked`, once it is in chunks. */
export function distortStream(stream: EventStream, random: Random, options: DistortionOptions): EventStream {
  let distorted = stream;
  if (options.crop > 0 && random.next() < options.crop) distorted = crop(distorted, random, options.cropShare);
  if (options.reorder > 0 && random.next() < options.reorder) distorted = reorder(distorted, random, options.reorderShare);
  if (options.mask > 0) distorted = mask(distorted, random, options.mask);
  return distorted;
}

/** The chunk without what was masked before its streams were cut. */
export const hideMasked = (chunk: Chunk): Chunk => hideEvents(chunk, (row) => chunk.targetLabel[row] === AFTER_MASKED);

function crop(stream: EventStream, random: Random, share: number): EventStream {
  const length = stream.item.length;
  const kept = Math.max(2, Math.round(share * length));
  if (length < LEAST_EVENTS || kept >= length) return stream;
  const first = random.integer(length - kept + 1);
  const cropped = pick(stream, Int32Array.from({ length: kept }, (_, at) => first + at));
  cropped.gap[0] = NaN; // nothing is before it any more
  return cropped;
}

/** Gaps stay where they are: it is the items that change places, not the moments. */
function reorder(stream: EventStream, random: Random, share: number): EventStream {
  const length = stream.item.length;
  const shuffled = Math.round(share * length);
  if (length < LEAST_EVENTS || shuffled < 2) return stream;
  const first = random.integer(length - shuffled + 1);
  const order = Int32Array.from({ length }, (_, at) => at);
  random.shuffle(order.subarray(first, first + shuffled));
  return { ...pick(stream, order), gap: stream.gap, ...(stream.orderDays && { orderDays: stream.orderDays }) };
}

function mask(stream: EventStream, random: Random, chance: number): EventStream {
  const masked = Uint8Array.from(stream.item, () => (random.next() < chance ? 1 : 0));
  return { ...stream, label: stream.item.map((_, event) => (masked[event - 1] === 1 ? AFTER_MASKED : -1)) };
}

function pick(stream: EventStream, events: Int32Array): EventStream {
  return {
    item: events.map((at) => stream.item[at]!),
    kind: Uint8Array.from(events, (at) => stream.kind[at]!),
    gap: Float32Array.from(events, (at) => stream.gap[at]!),
    price: Float32Array.from(events, (at) => stream.price[at]!),
    weight: Float32Array.from(events, (at) => stream.weight[at]!),
    label: stream.label && events.map((at) => stream.label![at]!),
    ...(stream.orderDays && { orderDays: Float32Array.from(events, (at) => stream.orderDays![at]!) }),
  };
}
