import { RecommenderError } from './errors.ts';
import type { Candidate, Consent, DeviceChoice } from './types.ts';

/** The fields of a shop's object that Shelfwise reads; nothing else of it leaves the page's thread. */
export type FieldName = keyof Candidate;

/** What a shop may pass to `createRecommender()`. */
export interface RecommenderOptions {
  /** Address of the recommender's pack.json, absolute or relative to the page. */
  readonly pack: string | URL;
  /** Makes the shop's module worker, or its address. */
  readonly worker: (() => Worker) | string | URL;
  /** Default `denied`. */
  readonly consent?: Consent;
  /** Default `auto`. */
  readonly device?: DeviceChoice;
  /** Where the shop's objects keep what Shelfwise reads, for instance `{ id: 'objectID', title: 'name' }`. Default: the same names. */
  readonly fields?: Partial<Record<FieldName, string>>;
  /** Whose history on a shared device. Default `anonymous`. */
  readonly partition?: string;
  /** Name of the IndexedDB database. Default `shelfwise`. */
  readonly database?: string;
  /** Milliseconds after which `rerank()` answers with what it has. Default 50. */
  readonly deadlineMs?: number;
  /** Unix milliseconds, for the time of events. Default `Date.now`. */
  readonly now?: () => number;
}

/** The options as the rest of the page's side reads them: all present, all checked. */
export interface ResolvedOptions {
  readonly pack: string;
  readonly createWorker: () => Worker;
  readonly consent: Consent;
  readonly device: DeviceChoice;
  readonly fields: Readonly<Record<FieldName, string>>;
  readonly partition: string;
  readonly database: string;
  readonly deadlineMs: number;
  readonly now: () => number;
}

const FIELD_NAMES: readonly FieldName[] = ['id', 'title', 'description', 'tags', 'category', 'brand', 'price', 'score', 'vector', 'demand'];
const CONSENTS: readonly Consent[] = ['denied', 'session', 'granted'];
const DEVICES: readonly DeviceChoice[] = ['auto', 'webgpu', 'wasm', 'reference'];

/**
 * Checks the options and fills in the defaults: the only place where options are validated.
 * @throws RecommenderError `INVALID_OPTIONS`, naming the option.
 */
export function resolveOptions({
  pack,
  worker,
  consent = 'denied',
  device = 'auto',
  fields = {},
  partition = 'anonymous',
  database = 'shelfwise',
  deadlineMs = 50,
  now = Date.now,
}: RecommenderOptions): ResolvedOptions {
  for (const [name, field] of Object.entries(fields)) {
    check(FIELD_NAMES.some((known) => known === name), `fields.${name} is not one of ${FIELD_NAMES.join(', ')}.`);
    check(typeof field === 'string', `fields.${name} must be the name of a field.`);
  }
  check(isConsent(consent), `consent must be one of ${CONSENTS.join(', ')}.`);
  check(DEVICES.includes(device), `device must be one of ${DEVICES.join(', ')}.`);
  check(isName(partition), 'partition must be a text.');
  check(isName(database), 'database must be a text.');
  check(typeof deadlineMs === 'number' && deadlineMs >= 0, 'deadlineMs must be 0 or more milliseconds.');
  check(typeof now === 'function', 'now must be a function that returns Unix milliseconds.');
  return {
    pack: resolveAddress(pack),
    createWorker: toWorkerFactory(worker),
    consent,
    device,
    fields: Object.fromEntries(FIELD_NAMES.map((name) => [name, fields[name] ?? name])) as Record<FieldName, string>,
    partition,
    database,
    deadlineMs,
    now,
  };
}

export function isConsent(value: unknown): value is Consent {
  return CONSENTS.some((consent) => consent === value);
}

function check(holds: boolean, detail: string): asserts holds {
  if (!holds) throw new RecommenderError('INVALID_OPTIONS', detail);
}

// Shops write JavaScript, too: what the types promise is checked all the same.
function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** Absolute, as the worker's own address is another base than the page's. */
function resolveAddress(pack: string | URL): string {
  // While a server renders the page there is no base and no worker either: every slate is the server's.
  if (typeof document === 'undefined') return String(pack);
  try {
    return new URL(pack, document.baseURI).href;
  } catch (error) {
    throw new RecommenderError('INVALID_OPTIONS', 'pack must be the address of a pack.json.', { cause: error });
  }
}

function toWorkerFactory(worker: RecommenderOptions['worker']): () => Worker {
  if (typeof worker === 'function') return worker;
  check(typeof worker === 'string' || worker instanceof URL, 'worker must be a function that returns a Worker, or an address.');
  return () => new Worker(worker, { type: 'module', name: 'shelfwise' });
}
