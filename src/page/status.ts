import type { Consent } from '../types.ts';
import type { EngineStatus } from '../worker/protocol.ts';

/** The status while no engine answers, with the reason. */
export function withoutEngine(consent: Consent, why: string): EngineStatus {
  const none = { device: 'none', why };
  return {
    consent,
    devices: { encode: none, sequence: none, score: none },
    packs: [],
    store: { home: 'none', behaviourRows: 0, vectors: 0, slates: 0 },
    timings: null,
    queue: { encoding: 0 },
    ledger: [],
  };
}

/** Only the page sees the size of the worker's own script. */
export function withCodeBytes(status: EngineStatus): EngineStatus {
  const bytesOf = (url: string): number =>
    performance.getEntriesByName(url, 'resource').reduce((most, entry) => Math.max(most, 'encodedBodySize' in entry ? Number(entry.encodedBodySize) : 0), 0);
  return { ...status, ledger: status.ledger.map((entry) => (entry.bytes > 0 ? entry : { ...entry, bytes: bytesOf(entry.url) })) };
}
