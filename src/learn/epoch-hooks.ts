/** What a training of whole epochs tells while it runs. */
export interface EpochHooks {
  /** After each step: how much of its epoch is done, 0 to 1, and the epoch's mean loss so far. What it throws ends the training. */
  readonly onStep?: ((step: { readonly epoch: number; readonly share: number; readonly loss: number }) => Promise<void>) | undefined;
  readonly onEpoch?: ((epoch: number, loss: number) => void) | undefined;
}
