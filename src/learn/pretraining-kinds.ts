/** What the interest model may learn before it is asked for the next item. */
export const PRETRAINING_KINDS = ['masked-items', 'autoencoder'] as const;
export type PretrainingKind = (typeof PRETRAINING_KINDS)[number];

/** As it is said in reports. */
export const pretrainingName = (kind: PretrainingKind): string => kind.replace('-', ' ');

/** Enough for a log of some hundred shoppers; one of an autoencoder is a fraction of one of masked items. */
export const PRETRAINING_EPOCHS: Readonly<Record<PretrainingKind, number>> = { 'masked-items': 10, autoencoder: 60 };

export interface PretrainingOptions {
  readonly kind: PretrainingKind;
  readonly epochs: number;
}

/** What a training starts from that was not asked for the next item. */
export interface Pretrained {
  /** What the training's parameters of these names start as. */
  readonly start: ReadonlyMap<string, Float32Array>;
  /** Mean loss of each epoch. */
  readonly losses: readonly number[];
}
