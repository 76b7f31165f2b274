import type { Workload } from '../compute/device.ts';
import { ERROR_CODES } from '../errors.ts';
import type { Models } from './models.ts';
import type { EngineStatus } from './protocol.ts';

type ModelStatus = Pick<EngineStatus, 'devices' | 'packs' | 'queue'>;

/** What can be said of the models: who serves and why, or why there is nobody. */
export function modelStatus(models: Models | undefined, failure: Error | undefined): ModelStatus {
  if (models === undefined) {
    const nobody = { device: 'none', why: failure?.message ?? ERROR_CODES.WARMING_UP };
    return { devices: { encode: nobody, sequence: nobody, score: nobody } satisfies Record<Workload, unknown>, packs: [], queue: { encoding: 0 } };
  }
  return {
    devices: models.devices,
    packs: models.packs.map(({ name, revision, kind }) => ({ name, revision, kind })),
    queue: { encoding: models.vectors.pending },
  };
}

/** What is kept of the shopper, where; nothing where consent keeps the store closed. */
export async function storeStatus(store: { readonly home: 'indexeddb' | 'memory'; sizes(): Promise<Omit<EngineStatus['store'], 'home'>> } | null): Promise<EngineStatus['store']> {
  if (store === null) return { home: 'none', behaviourRows: 0, vectors: 0, slates: 0 };
  return { home: store.home, ...(await store.sizes()) };
}
