import { isRecord, QUERY_CHARACTERS, toFinite, toText } from './event-log.ts';

/** A page's context as ranking reads it. */
export interface ReadContext {
  /** What says most comes first; may be empty. */
  readonly texts: readonly string[];
  /** Unix milliseconds that the slate is for. */
  readonly time: number | undefined;
}

/** Reads a context, typed by its documentation only: what is of another form is left out, so that no slate fails by it. */
export function readPageContext(context: unknown): ReadContext {
  if (!isRecord(context)) return { texts: [], time: undefined };
  const { query, page, referrerCategory, time } = context;
  return { texts: [query, page, referrerCategory].flatMap((text) => toText(text, QUERY_CHARACTERS) ?? []), time: toFinite(time) };
}
