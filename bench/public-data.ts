import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readTable, type CodedColumn } from '../src/cli/table.ts';
import { createBaskets, type Baskets } from '../src/rank/simple/baskets.ts';

/** Where the public data sets lie, which may not be redistributed; each in a folder of its name, with a README. */
export const PUBLIC_DATA = new URL('../../shared/data', import.meta.url).pathname;

/** `validation` holds back what comes before the test, for choosing hyper-parameters; `test` is what is reported. */
export type Stage = 'validation' | 'test';

/** One question: what came after `session`? */
export interface PublicQuery {
  /** Items before the target, oldest first. */
  readonly session: readonly number[];
  readonly target: number;
  /** User or session that the question is of. */
  readonly customer: number;
  /** Unix seconds of the target; 0 where the data have no times. */
  readonly time: number;
}

export interface PublicData {
  /** Ids of the items in the log, by index. */
  readonly items: readonly string[];
  /** What may be learnt from. */
  readonly training: Baskets;
  readonly queries: readonly PublicQuery[];
  /** Whether an item of the session can be the target again; where not, rankings leave the session's items out. */
  readonly repeats: boolean;
}

/** Whether the data set is on this machine. */
export const hasPublicData = (name: string): boolean => existsSync(join(PUBLIC_DATA, name, 'interactions.csv.gz'));

/**
 * Leave-one-out: a user's last item is the target (in validation the one before it, and the last is not used), all items before
 * it are the session, and training sees exactly those. No user takes an item twice in these data.
 */
export async function loadLeaveOneOut(name: string, stage: Stage): Promise<PublicData> {
  const { columns } = await readTable(interactionsOf(name), { user: 'id', item: 'id', pos: 'number' });
  const { values: items, codes: code } = columns.item;
  const sequences = rowsByCode(columns.user).map((own) => own.sort((a, b) => columns.pos[a]! - columns.pos[b]!).map((row) => code[row]!));
  const held = stage === 'test' ? 1 : 2;
  const queries = sequences.map((sequence, customer) => ({ session: sequence.slice(0, -held), target: sequence.at(-held)!, customer, time: 0 }));
  return { items, training: createBaskets(queries.map(({ session, customer }) => ({ user: customer, time: 0, items: session }))), queries, repeats: false };
}

/**
 * Next item in the session: each item of a test session after its first is a target, all before it are the session. The split is
 * the file's own; validation holds back the last tenth of the training sessions, and its targets are items that the rest has.
 */
export async function loadSessions(name: string, stage: Stage): Promise<PublicData> {
  const { columns } = await readTable(interactionsOf(name), { user: 'id', item: 'id', timestamp: 'number?', split: 'text' });
  const { values: items, codes: code } = columns.item;
  // Without times the file is in order of time, so that the number of the session stands for it.
  const timed = columns.timestamp?.some((time) => !Number.isNaN(time)) ?? false;
  const timeOf = (row: number): number => (timed ? columns.timestamp![row]! : 0);
  const sessions = rowsByCode(columns.user).map((own, number) => ({
    user: number,
    time: timed ? timeOf(own.at(-1)!) : number,
    rows: own,
    items: own.map((row) => code[row]!),
    split: columns.split[own[0]!]!,
  }));
  const training = sessions.filter(({ split }) => split === 'train').sort((a, b) => a.time - b.time);
  const held = stage === 'test' ? sessions.filter(({ split }) => split === 'test') : training.splice(Math.floor(training.length * 0.9));
  const known = new Set(training.flatMap((session) => session.items));
  const queries = held.flatMap(({ user, rows: whole }) => {
    const own = stage === 'test' ? whole : whole.filter((row) => known.has(code[row]!));
    return own.slice(1).map((row, k) => ({ session: own.slice(0, k + 1).map((before) => code[before]!), target: code[row]!, customer: user, time: timeOf(row) }));
  });
  return { items, training: createBaskets(training), queries, repeats: true };
}

/** The text of each item for the encoder: title and category. */
export async function loadTexts(name: string, items: readonly string[]): Promise<string[]> {
  const { columns } = await readTable(join(PUBLIC_DATA, name, 'items.csv.gz'), { item: 'text', title: 'text?', category: 'text?' });
  const textOf = new Map(columns.item.map((item, row) => [item, `${columns.title?.[row] ?? ''}. ${columns.category?.[row] ?? ''}`]));
  return items.map((item) => textOf.get(item) ?? '');
}

/** The whole catalogue in the file's order. */
export async function loadCatalogue(name: string): Promise<{ ids: readonly string[]; titles: readonly string[] }> {
  const { columns } = await readTable(join(PUBLIC_DATA, name, 'items.csv.gz'), { item: 'text', title: 'text?' });
  return { ids: columns.item, titles: columns.title ?? columns.item.map(() => '') };
}

/** A data set's file, for what reads it as a shop's analyst would. */
export const publicFile = (name: string, file: 'interactions' | 'items'): string => join(PUBLIC_DATA, name, `${file}.csv.gz`);

const interactionsOf = (name: string): string => publicFile(name, 'interactions');

/** Rows of each value, values and rows in the file's order. */
function rowsByCode({ values, codes }: CodedColumn): number[][] {
  const groups = values.map((): number[] => []);
  codes.forEach((code, row) => groups[code]!.push(row));
  return groups;
}
