import { RecommenderError } from '../errors.ts';
import type { BehaviourPayload, NewBehaviourRow } from '../storage/shopper-store.ts';
import type { Item } from '../types.ts';
import { BEHAVIOUR_KINDS } from './kinds.ts';

// A row is kept for months and read at every start: longer texts are cut to what an encoder reads anyway.
const TITLE_CHARACTERS = 1_000;
const DESCRIPTION_CHARACTERS = 5_000;
export const QUERY_CHARACTERS = 500;
const TAGS = 50;

/** An event as it arrives: typed by its documentation only, as any script of the page may have made it. */
export interface ArrivedEvent {
  readonly id: string;
  readonly event: unknown;
}

/**
 * Turns an event into a row of the log: ids become strings, values that are not finite and fields of the wrong type
 * are left out, long texts are cut, a missing or impossible time becomes `now` (Unix milliseconds).
 * @returns the row, or a RecommenderError `INVALID_EVENT` that says what is missing; never throws.
 */
export function toBehaviourRow(arrived: ArrivedEvent, { partition, now }: { partition: string; now: number }): NewBehaviourRow | RecommenderError {
  const { id, event } = arrived;
  if (!isRecord(event)) return new RecommenderError('INVALID_EVENT', 'It is not an object.');
  const type = BEHAVIOUR_KINDS.find((kind) => kind === event.type);
  if (type === undefined) return new RecommenderError('INVALID_EVENT', `Its type is not one of ${BEHAVIOUR_KINDS.join(', ')}.`);
  const item = toItem(event.item);
  const slate = toText(event.slate, TITLE_CHARACTERS);
  const query = toText(event.query, QUERY_CHARACTERS);
  const value = toFinite(event.value);
  if (type === 'search' ? query === undefined : item === undefined && !(type === 'impression' && slate !== undefined)) {
    return new RecommenderError('INVALID_EVENT', type === 'search' ? 'A search needs its query.' : `A ${type} needs an item with an id.`);
  }
  const payload: BehaviourPayload = {
    type,
    ...(item !== undefined && { item }),
    ...(slate !== undefined && { slate }),
    ...(query !== undefined && { query }),
    ...(value !== undefined && { value }),
    time: toFinite(event.time) ?? now,
  };
  return { id, partition, schemaVersion: 1, payload };
}

/** The item's documented fields, or undefined without a usable id; events and candidates alike, so that one item has one text. */
export function toItem(value: unknown): Item | undefined {
  if (!isRecord(value)) return undefined;
  const id = toItemKey(value.id);
  if (id === undefined) return undefined;
  const title = toText(value.title, TITLE_CHARACTERS);
  const description = toText(value.description, DESCRIPTION_CHARACTERS);
  const category = toText(value.category, TITLE_CHARACTERS);
  const brand = toText(value.brand, TITLE_CHARACTERS);
  const price = toFinite(value.price);
  const tags = Array.isArray(value.tags) ? value.tags.filter((tag) => typeof tag === 'string').slice(0, TAGS) : undefined;
  return {
    id,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(tags !== undefined && { tags: tags.map((tag) => tag.slice(0, QUERY_CHARACTERS)) }),
    ...(category !== undefined && { category }),
    ...(brand !== undefined && { brand }),
    ...(price !== undefined && { price }),
  };
}

/** Numbers and their decimal strings name the same item; -> undefined where there is no id. */
export function toItemKey(id: unknown): string | undefined {
  if (typeof id === 'string' && id !== '') return id;
  if (typeof id === 'number' && Number.isFinite(id)) return String(id);
  return undefined;
}

/** A text of no more than so many characters, or undefined where there is none. */
export function toText(value: unknown, characters: number): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.slice(0, characters) : undefined;
}

export function toFinite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
