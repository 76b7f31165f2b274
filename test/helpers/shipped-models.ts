import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import { createWasmDevice } from '../../src/compute/wasm/device.ts';
import { readFileBytes } from '../../src/packs/read-file-bytes.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createEngine } from '../../src/worker/engine.ts';
import type { EngineEnvironment } from '../../src/worker/environment.ts';
import { loadModels, type Models } from '../../src/worker/models.ts';
import type { Engine } from '../../src/worker/protocol.ts';

const addressOf = (pack: string): string => new URL(`../../models/${pack}/pack.json`, import.meta.url).pathname;

function environmentAt(now: number): EngineEnvironment {
  return {
    now: () => now,
    emit: () => undefined,
    openStore: () => Promise.resolve(createMemoryStore()),
    readBytes: readFileBytes,
    ledger: () => [],
    isWriter: () => false,
    devices: { wasm: () => createWasmDevice(), reference: () => Promise.resolve(createReferenceDevice()) },
  };
}

/** A pack as it ships, the demo's unless it is named, on WebAssembly. */
export function loadShippedModels(pack = 'online-retail'): Promise<Models> {
  return loadModels({ pack: addressOf(pack), device: 'wasm' }, environmentAt(0), {
    report: (error) => {
      throw error;
    },
  });
}

/** A new shopper of whom nothing is known, at `now` (Unix milliseconds). */
export function newShopper(models: Models, now: number): Engine {
  return createEngine({ pack: '', device: 'wasm', consent: 'session', partition: 'test', database: 'test' }, environmentAt(now), { models: Promise.resolve(models) });
}
