import type { DeviceFactories } from '../compute/choose.ts';
import type { ItemEncoder } from '../encoder/item-encoder.ts';
import type { ReadBytes } from '../packs/pack.ts';
import type { ShopperStore } from '../storage/shopper-store.ts';
import type { EngineEvents, LedgerEntry } from './protocol.ts';

/** Makes the shop's own encoder, once, when the engine first needs it. */
export type CreateEncoder = () => Promise<ItemEncoder>;

/** What the engine needs from where it runs: a worker, a test, a bench or the command line. */
export interface EngineEnvironment {
  /** Unix milliseconds. */
  now(): number;
  /** Tells the page without being asked. */
  emit<K extends keyof EngineEvents>(type: K, detail: EngineEvents[K]): void;
  /** Opens the shopper's store: memory for `session`, IndexedDB for `granted` (memory, with a `fallback` event, where it is refused). */
  openStore(consent: 'session' | 'granted'): Promise<ShopperStore>;
  /** Fetches an address; each request is in the ledger. */
  readonly readBytes: ReadBytes;
  /** Every request made so far; for `status()`. */
  ledger(): readonly LedgerEntry[];
  /** True while this engine may write model state (checkpoints); one tab per database may. */
  isWriter(): boolean;
  readonly devices: DeviceFactories;
  /** Names the GPU, so that a race is run again on another; null without one. */
  readonly gpuName?: () => Promise<string | null>;
  /** The shop's own encoder in place of the pack's. */
  readonly encoder?: CreateEncoder;
}
