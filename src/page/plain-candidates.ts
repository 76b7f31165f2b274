import type { Candidate } from '../types.ts';
import { isSameCandidate, toList, toPlainCandidate, toPlainId, type Fields } from './plain-fields.ts';

/** Copies that are kept: some pages' worth of products. */
const CAPACITY = 2_000;

/** Plain copies of the shop's candidates. One whose mapped fields have not changed is the same object again: it crosses to the worker once. */
export class PlainCandidates {
  readonly #fields: Fields;
  /** By id. */
  readonly #known = new Map<string, Candidate>();

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  /** A candidate as plain data, or undefined without a usable id; never throws. */
  read(source: unknown): Candidate | undefined {
    try {
      const id = toPlainId(source, this.#fields);
      const known = id === undefined ? undefined : this.#known.get(id);
      return known && isSameCandidate(source, known, this.#fields) ? known : this.#copy(source);
    } catch {
      return undefined; // a list within it was a proxy of the shop's that threw
    }
  }

  /** Those of a list that have a usable id. */
  readAll(sources: unknown): Candidate[] {
    return toList(sources)?.flatMap((source) => this.read(source) ?? []) ?? [];
  }

  #copy(source: unknown): Candidate | undefined {
    const candidate = toPlainCandidate(source, this.#fields);
    if (candidate === undefined) return undefined;
    if (this.#known.size >= CAPACITY) this.#known.clear();
    this.#known.set(String(candidate.id), candidate);
    return candidate;
  }
}
