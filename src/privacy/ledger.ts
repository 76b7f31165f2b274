import { RecommenderError } from '../errors.ts';
import type { ReadBytes } from '../packs/pack.ts';
import type { LedgerEntry } from '../worker/protocol.ts';

// A visit makes some ten requests; beyond this, something retries for ever and the newest tell why.
const LEDGER_ENTRIES = 200;

/** Every request that Shelfwise itself makes, with its reason and bytes: for the shopper's eyes, in `status()`. */
export interface Ledger {
  entries(): readonly LedgerEntry[];
  /** Fetches an address and records it, failed requests too (with 0 bytes). */
  readonly readBytes: ReadBytes;
}

/** `fetchBytes` is the only way out of the worker; `codeRequests` lists what the browser loaded as code by itself. */
export function createLedger({
  now,
  fetchBytes = fetchPublicBytes,
  codeRequests = loadedCode,
}: {
  now: () => number;
  fetchBytes?: ReadBytes;
  codeRequests?: () => readonly LedgerEntry[];
}): Ledger {
  const fetched: LedgerEntry[] = [];

  return {
    entries: () => {
      const known = new Set(fetched.map(({ url }) => url));
      const code = codeRequests().filter(({ url }) => !known.has(url));
      return [...code, ...fetched].sort((a, b) => a.time - b.time);
    },
    readBytes: async (address, signal) => {
      const time = now();
      let bytes = 0;
      try {
        const content = await fetchBytes(address, signal);
        bytes = content.byteLength;
        return content;
      } finally {
        fetched.push({ time, url: address, reason: reasonOf(address), bytes });
        if (fetched.length > LEDGER_ENTRIES) fetched.shift();
      }
    },
  };
}

function reasonOf(address: string): string {
  const file = address.replace(/[?#].*$/, '').replace(/^.*\//, '');
  return file === 'pack.json' ? 'what a pack is' : 'a file of a pack';
}

/** Without cookies and referrer: packs are public, and nobody needs to know which page asked. */
async function fetchPublicBytes(address: string, signal?: AbortSignal): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: 'omit', referrerPolicy: 'no-referrer', ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new RecommenderError('PACK_UNAVAILABLE', address, { cause: error });
  }
  if (!response.ok) throw new RecommenderError('PACK_UNAVAILABLE', `${address} answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The worker's script and its chunks and kernels, as the browser's resource timing saw them. */
function loadedCode(): LedgerEntry[] {
  const entries = performance.getEntriesByType('resource').filter((entry) => entry instanceof PerformanceResourceTiming);
  return entries.map(({ name, startTime, encodedBodySize }) => ({
    time: performance.timeOrigin + startTime,
    url: name,
    reason: 'code of the recommender',
    bytes: encodedBodySize,
  }));
}
