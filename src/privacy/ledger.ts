import type { ReadBytes } from '../packs/pack.ts';
import type { LedgerEntry } from '../worker/protocol.ts';

// A visit makes some ten requests; beyond this, something retries for ever and the newest tell why.
const LEDGER_ENTRIES = 200;

/** Every request that Shelfwise itself makes, with its reason and bytes: for the shopper's eyes, in `status()`. */
export interface Ledger {
  readonly entries: () => readonly LedgerEntry[];
  /** Fetches an address and records it, failed requests too (with 0 bytes). */
  readonly readBytes: ReadBytes;
}

/** `fetchBytes` is the only way out of the worker; `codeRequests` lists what the browser loaded as code by itself. */
export function createLedger({
  now,
  fetchBytes,
  codeRequests = loadedCode,
}: {
  now: () => number;
  fetchBytes: ReadBytes;
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
        fetched.push({ time, url: absolute(address), reason: reasonOf(address), bytes });
        if (fetched.length > LEDGER_ENTRIES) fetched.shift();
      }
    },
  };
}

/** The address as the browser's own resource timing writes it, without `..`; as it is where it is no URL. */
function absolute(address: string): string {
  return URL.canParse(address) ? new URL(address).href : address;
}

function reasonOf(address: string): string {
  const file = address.replace(/[?#].*$/, '').replace(/^.*\//, '');
  return file === 'pack.json' ? 'what a pack is' : 'a file of a pack';
}

/** This worker's script, then its chunks and kernels, as the browser's resource timing saw them. */
function loadedCode(): LedgerEntry[] {
  const entries = performance.getEntriesByType('resource').filter((entry) => entry instanceof PerformanceResourceTiming);
  const chunks = entries.map(({ name, startTime, encodedBodySize }) => ({ time: performance.timeOrigin + startTime, url: name, bytes: encodedBodySize }));
  // A worker does not see the size of its own script; the page does.
  const script = { time: performance.timeOrigin, url: location.href, bytes: 0 };
  return [script, ...chunks.filter(({ url }) => url !== script.url)].map((entry) => ({ ...entry, reason: 'code of the recommender' }));
}
