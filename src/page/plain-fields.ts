import type { FieldName } from '../options.ts';
import type { BehaviourEvent, BehaviourKind, Candidate, DemandSeries, Item, QuantisedVector } from '../types.ts';

/** The names under which the shop's objects keep what Shelfwise reads. */
export type Fields = Readonly<Record<FieldName, string>>;

/** An event with nothing in it that could not cross to a worker. */
export type PlainEvent = BehaviourEvent & { readonly time: number };

/** The mapped fields of a shop's object as plain data, or undefined without a usable id; never throws. */
export function toPlainItem(source: unknown, fields: Fields): Item | undefined {
  const id = toId(read(source, fields.id));
  if (id === undefined) return undefined;
  const tags = read(source, fields.tags);
  return withoutMissing({
    id,
    title: toText(read(source, fields.title)),
    description: toText(read(source, fields.description)),
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : undefined,
    category: toText(read(source, fields.category)),
    brand: toText(read(source, fields.brand)),
    price: toFinite(read(source, fields.price)),
  });
}

/** toPlainItem() with the fields that only candidates have. */
export function toPlainCandidate(source: unknown, fields: Fields): Candidate | undefined {
  const item = toPlainItem(source, fields);
  if (item === undefined) return undefined;
  return withoutMissing({
    ...item,
    score: toFinite(read(source, fields.score)),
    vector: toPlainVector(read(source, fields.vector)),
    demand: toPlainDemand(read(source, fields.demand)),
  });
}

/** Those of a list that have a usable id. */
export function toPlainCandidates(sources: unknown, fields: Fields): Candidate[] {
  return toList(sources)?.flatMap((source) => toPlainCandidate(source, fields) ?? []) ?? [];
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

function toId(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  return toText(value);
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
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}
