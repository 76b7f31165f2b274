/** What may read a shopper's behaviours in order; packs that do not say so are of the first. */
export const SEQUENCE_KINDS = ['lstm', 'gru', 'transformer'] as const;
export type SequenceKind = (typeof SEQUENCE_KINDS)[number];
