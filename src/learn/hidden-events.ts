import type { Chunk } from './lanes.ts';

/** The chunk with nothing to read in rows that are hidden, as where a stream opens; what they predict stays. */
export function hideEvents(chunk: Chunk, isHidden: (row: number) => boolean): Chunk {
  return {
    ...chunk,
    item: chunk.item.map((item, row) => (isHidden(row) ? -1 : item)),
    kind: chunk.kind.map((kind, row) => (isHidden(row) ? 0 : kind)),
    gap: chunk.gap.map((gap, row) => (isHidden(row) ? 0 : gap)),
    price: chunk.price.map((price, row) => (isHidden(row) ? 0 : price)),
  };
}
