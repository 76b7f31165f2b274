import type { SlateRecord } from '../storage/shopper-store.ts';

export interface ShownSlate {
  readonly id: string;
  readonly partition: string;
  /** Unix milliseconds. */
  readonly time: number;
  readonly packRevision: string;
  /** Item id of each server position. */
  readonly itemIds: readonly string[];
  /** Server position of each place. */
  readonly order: Int32Array;
}

/** What a later evaluation needs to know of a slate in the deterministic order: nothing is drawn, each place was certain. */
export function toSlateRecord({ id, partition, time, packRevision, itemIds, order }: ShownSlate): SlateRecord {
  return {
    id,
    partition,
    time,
    packRevision,
    seed: 0,
    shown: Array.from(order, (position) => itemIds[position]!),
    serverPositions: Array.from(order),
    propensities: new Array<number>(order.length).fill(1),
  };
}
