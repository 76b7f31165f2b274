import type { FieldName } from '../options.ts';
import type { BehaviourEvent, BehaviourKind, Candidate, DemandSeries, Item, QuantisedVector } from '../types.ts';

/** The names under which the shop's objects keep what Shelfwise reads. */
export type Fields = Readonly<Record<FieldName, string>>;

/** An event with nothing in it that could not cross to a worker. */
export type PlainEvent = BehaviourEvent & { readonly time: number };

/** The id of a shop's object, or undefined where there is none; never throws. */
export function toPlainId(source: unknown, fields: Fields): string | undefined {
  return toId(read(source, fields.id));
}

/** The mapped fields of a shop's object as plain data, or undefined without a usable id; never throws. */
export function toPlainItem(source: unknown, fields: Fields): Item | undefined {
  const id = toPlainId(source, fields);
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

/** Whether toPlainCandidate() would give an equal candidate; an Int8Array is taken for unchanged as long as it is the same one. */
export function isSameCandidate(source: unknown, known: Candidate, fields: Fields): boolean {
  const text = (name: 'title' | 'description' | 'category' | 'brand'): boolean => toText(read(source, fields[name])) === known[name];
  const finite = (name: 'price' | 'score'): boolean => toFinite(read(source, fields[name])) === known[name];
  return (
    toPlainId(source, fields) === known.id &&
    text('title') && text('description') && text('category') && text('brand') && finite('price') && finite('score') &&
    isSameList(read(source, fields.tags), known.tags, (tag) => tag) &&
    isSameSeries(read(source, fields.demand), known.demand) &&
    isSameVector(read(source, fields.vector), known.vector)
  );
}

function isSameSeries(source: unknown, known: DemandSeries | undefined): boolean {
  if (known === undefined) return toPlainDemand(source) === undefined;
  return toFinite(read(source, 'asOf')) === known.asOf && isSameList(read(source, 'values'), known.values, toFiniteOrNull);
}

function isSameVector(source: unknown, known: QuantisedVector | undefined): boolean {
  if (known === undefined) return toPlainVector(source) === undefined;
  const values = read(source, 'values');
  return (
    read(source, 'encoderRevision') === known.encoderRevision &&
    read(source, 'scale') === known.scale &&
    (values === known.values || isSameList(values, known.values, Number))
  );
}

/** The same list as what was read of another: of the same length, and each element the same once it is read. */
function isSameList<T>(source: unknown, known: ArrayLike<T> | undefined, element: (value: unknown) => unknown): boolean {
  if (!Array.isArray(source)) return known === undefined;
  if (known?.length !== source.length) return false;
  for (let at = 0; at < known.length; at++) if (element(source[at]) !== known[at]) return false;
  return true;
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
  return { measure: 'sales', asOf, stepDays: 7, values: values.map(toFiniteOrNull) };
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

function toFiniteOrNull(value: unknown): number | null {
  return toFinite(value) ?? null;
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function withoutMissing<T extends object>(values: T): Present<T> {
  const present = {} as T & Present<T>;
  for (const name in values) if (values[name] !== undefined) present[name] = values[name];
  return present;
}
