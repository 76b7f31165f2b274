import type { DeviceFactories } from '../compute/choose.ts';
import type { MakeDevice } from '../compute/contender.ts';
import { createWasmDevice } from '../compute/wasm/device.ts';
import { loadWebgpuDevice } from '../compute/webgpu/load.ts';
import { RecommenderError } from '../errors.ts';
import { fetchBytes } from '../packs/fetch-bytes.ts';
import { createLedger } from '../privacy/ledger.ts';
import type { ShopperStore } from '../storage/shopper-store.ts';
import { createTabSharing } from '../storage/tab-sharing.ts';
import { createEngine } from './engine.ts';
import type { CreateEncoder } from './environment.ts';
import { serveEngine } from './rpc-server.ts';

export interface WorkerOptions {
  /** Makes the shop's own encoder in place of the pack's; its vectors carry its own revision. */
  readonly encoder?: CreateEncoder;
}

// Every visit starts with WebAssembly. The other devices are chunks of their own, and so is each kernel: a browser without an adapter never fetches WebGPU's.
const loadWebgpu = (precision: 'f16' | 'f32'): MakeDevice => ({ software }) => loadWebgpuDevice({ precision, software });
const loadWasm = (kernel?: 'f32-relaxed' | 'f32-simd'): MakeDevice => () => createWasmDevice({ ...(kernel && { kernel }) });

/** In the order of preference: what fails its golden vectors gives way to plainer arithmetic. */
const DEVICES: DeviceFactories = {
  webgpu: [loadWebgpu('f16'), loadWebgpu('f32')],
  wasm: [loadWasm(), loadWasm('f32-relaxed'), loadWasm('f32-simd')],
  reference: async () => (await import('../compute/reference/device.ts')).createReferenceDevice(),
};

/** Starts Shelfwise in this worker. Call it at once: messages that arrive before are lost. */
export function startWorker({ encoder }: WorkerOptions = {}): void {
  serveEngine(self, ({ options, emit, onPageState }) => {
    const ledger = createLedger({ now: Date.now, fetchBytes });
    const sharing = createTabSharing(options.database);
    onPageState(sharing.onPageState);
    return createEngine(options, {
      now: Date.now,
      emit,
      openStore: async (consent) => {
        if (consent === 'session') return openMemory();
        try {
          return await sharing.open();
        } catch (error) {
          const { code, message } = RecommenderError.from(error, 'STORAGE_FAILED');
          emit('fallback', { code, message });
          return openMemory();
        }
      },
      readBytes: ledger.readBytes,
      ledger: ledger.entries,
      isWriter: sharing.isWriter,
      devices: DEVICES,
      gpuName,
      ...(encoder !== undefined && { encoder }),
    });
  });
}

/** A chunk of its own: with consent `granted` a visit needs it only where IndexedDB is refused. */
async function openMemory(): Promise<ShopperStore> {
  try {
    return (await import('../storage/memory-store.ts')).createMemoryStore();
  } catch (error) {
    throw RecommenderError.from(error, 'STORAGE_FAILED');
  }
}

async function gpuName(): Promise<string | null> {
  const info = 'gpu' in navigator ? (await navigator.gpu.requestAdapter())?.info : undefined;
  return info ? [info.vendor, info.architecture, info.device, info.description].join(' ') : null;
}
