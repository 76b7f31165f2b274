import type { FieldName } from '../options.ts';
import type { BehaviourEvent, BehaviourKind, Candidate, DemandSeries, Item, PageContext, QuantisedVector } from '../types.ts';

/** The names under which the shop's objects keep what Shelfwise reads. */
export type Fields = Readonly<Record<FieldName, string>>;

/** An event with nothing in it that could not cross to a worker. */
export type PlainEvent = BehaviourEvent & { readonly time: number };

/** What each field must be; undefined where it is something else. */
const READERS: { readonly [K in FieldName]: (value: unknown) => Candidate[K] | undefined } = {
  id: (value) => toText(typeof value === 'number' && Number.isFinite(value) ? String(value) : value),
  title: toText,
  description: toText,
  tags: (value) => (Array.isArray(value) ? value.filter((tag) => typeof tag === 'string') : undefined),
  category: toText,
  brand: toText,
  price: toFinite,
  score: toFinite,
  vector: toPlainVector,
  demand: toPlainDemand,
};
const CANDIDATE_FIELDS = Object.keys(READERS) as FieldName[];
const ITEM_FIELDS = CANDIDATE_FIELDS.slice(0, CANDIDATE_FIELDS.indexOf('score'));

/** The id of a shop's object, or undefined where there is none; never throws. */
export function toPlainId(source: unknown, fields: Fields): string | undefined {
  return READERS.id(read(source, fields.id)) as string | undefined;
}

/** The mapped fields of a shop's object as plain data, or undefined without a usable id. */
export function toPlainItem(source: unknown, fields: Fields): Item | undefined {
  return toPlain(source, fields, ITEM_FIELDS);
}

/** toPlainItem() with the fields that only candidates have. */
export function toPlainCandidate(source: unknown, fields: Fields): Candidate | undefined {
  return toPlain(source, fields, CANDIDATE_FIELDS);
}

function toPlain(source: unknown, fields: Fields, names: readonly FieldName[]): Candidate | undefined {
  const plain: Partial<Record<FieldName, unknown>> = {};
  for (const name of names) {
    const value = READERS[name](read(source, fields[name]));
    if (value !== undefined) plain[name] = value;
    else if (name === 'id') return undefined;
  }
  return plain as Candidate;
}

/** Whether toPlainCandidate() would give an equal candidate; an Int8Array is taken for unchanged as long as it is the same one. */
export function isSameCandidate(source: unknown, known: Candidate, fields: Fields): boolean {
  return CANDIDATE_FIELDS.every((name) => {
    const value = read(source, fields[name]);
    // Most values are plain already, and are compared without being copied.
    return holds(value, known[name]) || holds(READERS[name](value), known[name]);
  });
}

/** Whether a value is, or has in it, all that is known of it. */
function holds(value: unknown, known: unknown): boolean {
  if (value === known) return true;
  if (typeof value !== 'object' || typeof known !== 'object' || value === null || known === null) return false;
  if (!Array.isArray(known)) return Object.keys(known).every((name) => holds(Reflect.get(value, name), Reflect.get(known, name)));
  return Array.isArray(value) && value.length === known.length && known.every((element, at) => value[at] === element);
}

/** A list of anything as an array of its own, or undefined: holes are undefined, and a proxy of the shop's may throw. */
export function toList<T>(sources: readonly T[]): readonly T[] | undefined;
export function toList(sources: unknown): readonly unknown[] | undefined;
export function toList(sources: unknown): readonly unknown[] | undefined {
  try {
    return Array.isArray(sources) ? Array.from<unknown>(sources) : undefined;
  } catch {
    return undefined;
  }
}

/** What was reported, with the item's mapped fields; the event log in the worker says what is wrong with it. */
export function toPlainEvent(source: unknown, fields: Fields, now: number): PlainEvent {
  return withoutMissing({
    // Anything but a known kind is refused there, so that its list is not in the page's bytes twice.
    type: toText(read(source, 'type')) as BehaviourKind,
    item: toPlainItem(read(source, 'item'), fields),
    slate: toText(read(source, 'slate')),
    query: toText(read(source, 'query')),
    value: toFinite(read(source, 'value')),
    time: toFinite(read(source, 'time')) ?? now,
  });
}

/** What a page says of the shopper's wishes, as plain data. */
export function toPlainContext(source: unknown): PageContext {
  return withoutMissing({
    query: toText(read(source, 'query')),
    page: toText(read(source, 'page')),
    referrerCategory: toText(read(source, 'referrerCategory')),
    time: toFinite(read(source, 'time')),
  });
}

/** A public series as plain data: values that are not finite are missing. */
export function toPlainDemand(source: unknown): DemandSeries | undefined {
  const values = read(source, 'values');
  const asOf = toFinite(read(source, 'asOf'));
  if (!Array.isArray(values) || asOf === undefined) return undefined;
  return { measure: 'sales', asOf, stepDays: 7, values: values.map((value) => toFinite(value) ?? null) };
}

function toPlainVector(source: unknown): QuantisedVector | undefined {
  const encoderRevision = toText(read(source, 'encoderRevision'));
  const scale = toFinite(read(source, 'scale'));
  // JSON from a server has plain arrays.
  const values: unknown = read(source, 'values');
  if (encoderRevision === undefined || scale === undefined) return undefined;
  if (values instanceof Int8Array) return { encoderRevision, scale, values };
  return Array.isArray(values) ? { encoderRevision, scale, values: Int8Array.from(values.map(Number)) } : undefined;
}

/** A field of anything: getters and proxies of the shop's may throw. */
function read(source: unknown, name: string): unknown {
  if (typeof source !== 'object' || source === null) return undefined;
  try {
    return Reflect.get(source, name);
  } catch {
    return undefined;
  }
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function toFinite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function withoutMissing<T extends object>(values: T): Present<T> {
  const present = {} as T & Present<T>;
  for (const name in values) if (values[name] !== undefined) present[name] = values[name];
  return present;
}
