import { createTfjsDevice } from '../../src/compute/tfjs/device.ts';
import { fetchBytes } from '../../src/packs/fetch-bytes.ts';
import { createLedger } from '../../src/privacy/ledger.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createEngine } from '../../src/worker/engine.ts';
import { serveEngine } from '../../src/worker/rpc-server.ts';
import { startTfjsWasm } from './peers/tfjs-wasm.ts';

// The worker of Shelfwise with every model as tfjs ops on its WebAssembly backend, under the name of the device that it stands in for.
serveEngine(self, ({ options, emit }) => {
  const ledger = createLedger({ now: Date.now, fetchBytes });
  return createEngine(options, {
    now: Date.now,
    emit,
    openStore: () => Promise.resolve(createMemoryStore()),
    readBytes: ledger.readBytes,
    ledger: ledger.entries,
    isWriter: () => false,
    devices: { wasm: async () => createTfjsDevice(await startTfjsWasm()) },
  });
});
