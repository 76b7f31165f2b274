import type { BehaviourRow, Checkpoint, ShopperExport, SlateRecord } from './shopper-store.ts';

/** What a store holds of one partition, as plain JSON values: rows by seq, slates by time. */
export function toShopperExport(
  partition: string,
  held: { behaviour: readonly BehaviourRow[]; slates: readonly SlateRecord[]; checkpoint: Checkpoint | undefined },
): ShopperExport {
  const { behaviour, slates, checkpoint } = held;
  return {
    exportedAt: new Date().toISOString(),
    partition,
    behaviour,
    slates: slates.toSorted((a, b) => a.time - b.time),
    checkpoints: checkpoint === undefined ? [] : [{ ...checkpoint, state: [...checkpoint.state] }],
  };
}
