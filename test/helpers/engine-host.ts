import type { Device } from '../../src/compute/device.ts';
import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import type { ItemEncoder } from '../../src/encoder/item-encoder.ts';
import { contentKey } from '../../src/lib/hash.ts';
import { createRandom } from '../../src/lib/random.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import type { ShopperStore } from '../../src/storage/shopper-store.ts';
import type { DeviceName } from '../../src/types.ts';
import { createEngine } from '../../src/worker/engine.ts';
import type { EngineEnvironment } from '../../src/worker/environment.ts';
import type { Engine, EngineEvents, EngineOptions } from '../../src/worker/protocol.ts';
import { createTinyPack, TINY_ENCODER_REVISION, TINY_TEXT } from './tiny-pack.ts';

type EmittedEvent = { [K in keyof EngineEvents]: { readonly type: K; readonly detail: EngineEvents[K] } }[keyof EngineEvents];

/** An encoder whose vectors depend on the words of a text, and that counts what it was asked for. */
export interface CountingEncoder extends ItemEncoder {
  readonly texts: string[];
  /** Texts are held back until this is called. */
  release(): void;
}

export function createCountingEncoder({ held = false, revision = TINY_ENCODER_REVISION } = {}): CountingEncoder {
  const texts: string[] = [];
  let release: () => void = () => undefined;
  const gate = held ? new Promise<void>((resolve) => (release = resolve)) : undefined;
  return {
    revision,
    dimensions: TINY_TEXT,
    texts,
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
  waitFor<K extends keyof EngineEvents>(type: K): Promise<EngineEvents[K]>;
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
  const host = { clock: Date.UTC(2026, 0, 5) };
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
