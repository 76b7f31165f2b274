import type { Device } from '../compute/device.ts';
import { RecommenderError } from '../errors.ts';
import { fetchBytes } from '../packs/fetch-bytes.ts';
import { createLedger } from '../privacy/ledger.ts';
import { createMemoryStore } from '../storage/memory-store.ts';
import { createTabSharing } from '../storage/tab-sharing.ts';
import { createEngine } from './engine.ts';
import type { CreateEncoder } from './environment.ts';
import { serveEngine } from './rpc-server.ts';

export interface WorkerOptions {
  /** Makes the shop's own encoder in place of the pack's; its vectors carry its own revision. */
  readonly encoder?: CreateEncoder;
}

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
        if (consent === 'session') return createMemoryStore();
        try {
          return await sharing.open();
        } catch (error) {
          const { code, message } = RecommenderError.from(error, 'STORAGE_FAILED');
          emit('fallback', { code, message });
          return createMemoryStore();
        }
      },
      readBytes: ledger.readBytes,
      ledger: ledger.entries,
      isWriter: sharing.isWriter,
      devices: { webgpu: loadWebgpu, wasm: loadWasm, reference: loadReference },
      gpuName,
      ...(encoder !== undefined && { encoder }),
    });
  });
}

async function gpuName(): Promise<string | null> {
  const info = 'gpu' in navigator ? (await navigator.gpu.requestAdapter())?.info : undefined;
  return info ? [info.vendor, info.architecture, info.device, info.description].join(' ') : null;
}

// Each device is a chunk of its own: a browser without WebGPU never fetches that one.
async function loadWebgpu(): Promise<Device> {
  return (await import('../compute/webgpu/load.ts')).loadWebgpuDevice();
}

async function loadWasm(): Promise<Device> {
  return (await import('../compute/wasm/device.ts')).createWasmDevice();
}

async function loadReference(): Promise<Device> {
  return (await import('../compute/reference/device.ts')).createReferenceDevice();
}
