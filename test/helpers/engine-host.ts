import type { Device } from '../../src/compute/device.ts';
import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import type { ItemEncoder } from '../../src/encoder/item-encoder.ts';
import { contentKey } from '../../src/lib/hash.ts';
import { createRandom } from '../../src/lib/random.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import type { ShopperStore } from '../../src/storage/shopper-store.ts';
import type { BehaviourEvent, Candidate, DeviceName } from '../../src/types.ts';
import { createEngine } from '../../src/worker/engine.ts';
import type { EngineEnvironment } from '../../src/worker/environment.ts';
import type { Engine, EngineEvents, EngineOptions, RerankAnswer, TrackedEvent } from '../../src/worker/protocol.ts';
import { createTinyPack, TINY_ENCODER_REVISION, TINY_TEXT } from './tiny-pack.ts';

const START = Date.UTC(2026, 0, 5);

type EmittedEvent = { [K in keyof EngineEvents]: { readonly type: K; readonly detail: EngineEvents[K] } }[keyof EngineEvents];

/** Waits for everything. */
export const PATIENT = { limit: Infinity, deadlineMs: Infinity };

/** The first `count` items of the tiny pack, and more that it has never seen. */
export function createShelf(count = 12): Candidate[] {
  return Array.from({ length: count }, (_, at) => ({ id: `item-${at}`, title: `mug number ${at}`, price: 1 + at / 2 }));
}

let events = 0;

/** A behaviour towards an item of the shelf, a minute before the clock of `startEngine()`. */
export function createEvent(type: BehaviourEvent['type'], at: number, changes: Partial<BehaviourEvent> = {}): TrackedEvent {
  return { id: `event-${events++}`, event: { type, item: createShelf(at + 1)[at]!, time: START - 60_000, ...changes } };
}

/** Server positions in their new order. */
export function orderOf({ ranked }: Pick<RerankAnswer, 'ranked'>): number[] {
  return [...ranked.serverPositions];
}

/** A store that outlives the engines that open and close it, as a database does. */
export function createLastingStore(): { readonly store: ShopperStore; readonly openStore: EngineEnvironment['openStore'] } {
  const store = createMemoryStore();
  return { store, openStore: () => Promise.resolve({ ...store, close: () => Promise.resolve() }) };
}

/** An encoder whose vectors depend on the words of a text, and that counts what it was asked for. */
export interface CountingEncoder extends ItemEncoder {
  readonly texts: string[];
  /** Holds back what is asked for from now on, until `release()`. */
  hold(): void;
  release(): void;
}

export function createCountingEncoder({ held = false, revision = TINY_ENCODER_REVISION } = {}): CountingEncoder {
  const texts: string[] = [];
  let release: () => void = () => undefined;
  let gate: Promise<void> | undefined;
  const hold = (): void => {
    gate = new Promise((resolve) => (release = resolve));
  };
  if (held) hold();
  return {
    revision,
    dimensions: TINY_TEXT,
    texts,
    hold,
    release: () => release(),
    async encode(asked) {
      texts.push(...asked);
      await gate;
      const vectors = new Float32Array(asked.length * TINY_TEXT);
      asked.forEach((text, row) => vectors.set(vectorOf(text), row * TINY_TEXT));
      return vectors;
    },
  };
}

/** The sum of a random vector for each word, unit length. */
function vectorOf(text: string): Float32Array {
  const sum = new Float32Array(TINY_TEXT);
  for (const word of ['', ...text.slice(0, 200).split(' ')]) {
    const random = createRandom(Number.parseInt(contentKey(word).slice(8), 16));
    for (let k = 0; k < TINY_TEXT; k++) sum[k]! += random.normal();
  }
  const length = Math.hypot(...sum);
  return sum.map((value) => value / length);
}

export interface EngineHost {
  readonly engine: Engine;
  readonly events: EmittedEvent[];
  readonly encoder: CountingEncoder;
  /** Unix milliseconds; tests move it. */
  clock: number;
  /** Resolves with the next event of a type, or at once where there was one already. */
  readonly waitFor: <K extends keyof EngineEvents>(type: K) => Promise<EngineEvents[K]>;
}

export interface EngineHostOptions {
  readonly options?: Partial<EngineOptions>;
  readonly files?: ReadonlyMap<string, Uint8Array>;
  readonly openStore?: EngineEnvironment['openStore'];
  readonly encoder?: CountingEncoder;
  /** Without one, the encoder of the pack's own address serves. */
  readonly packedEncoder?: boolean;
  readonly devices?: Partial<Record<DeviceName, () => Promise<Device>>>;
  readonly isWriter?: () => boolean;
  readonly readBytes?: EngineEnvironment['readBytes'];
}

/** An engine in this thread, with a tiny pack, a clock that stands still, and a list of what it told the page. */
export async function startEngine({ options, files, openStore, encoder = createCountingEncoder(), packedEncoder = false, devices, isWriter, readBytes }: EngineHostOptions = {}): Promise<EngineHost> {
  const served = files ?? (await createTinyPack());
  const events: EmittedEvent[] = [];
  const waiting: { readonly type: keyof EngineEvents; resolve(): void }[] = [];
  const host = { clock: START };
  const environment: EngineEnvironment = {
    now: () => host.clock,
    emit: (type, detail) => {
      events.push({ type, detail } as EmittedEvent);
      for (const wait of waiting) if (wait.type === type) wait.resolve();
    },
    openStore: openStore ?? ((): Promise<ShopperStore> => Promise.resolve(createMemoryStore())),
    readBytes:
      readBytes ??
      ((address) => {
        const bytes = served.get(new URL(address).href);
        return bytes ? Promise.resolve(bytes) : Promise.reject(new Error(`${address} is not there`));
      }),
    ledger: () => [],
    isWriter: isWriter ?? ((): boolean => true),
    devices: devices ?? { reference: () => Promise.resolve(createReferenceDevice()) },
    ...(!packedEncoder && { encoder: () => Promise.resolve(encoder) }),
  };
  const engine = createEngine(
    { pack: 'memory:/tiny/pack.json', device: 'auto', consent: 'session', partition: 'anonymous', database: 'shelfwise-test', ...options },
    environment,
  );
  return Object.assign(host, {
    engine,
    events,
    encoder,
    async waitFor<K extends keyof EngineEvents>(type: K): Promise<EngineEvents[K]> {
      const seen = (): EngineEvents[K] | undefined => events.find((event): event is Extract<EmittedEvent, { type: K }> => event.type === type)?.detail as EngineEvents[K] | undefined;
      if (!seen()) await new Promise<void>((resolve) => waiting.push({ type, resolve }));
      return seen()!;
    },
  });
}
