import { BEHAVIOUR_KINDS } from '../../behaviour/kinds.ts';
import { RecommenderError } from '../../errors.ts';
import type { EvaluationLog } from '../../evaluate/query.ts';
import { readColumn, readInteractions, readItems, type CatalogueItems } from '../data.ts';
import { readColumnNames } from '../table.ts';

/** A log in the item numbers of its catalogue. */
export interface EvaluationFiles {
  readonly log: EvaluationLog;
  readonly users: readonly string[];
  readonly catalogue: CatalogueItems;
  /** [rows] where each row of the log stands in its file. */
  readonly fileRow: Int32Array;
  /** Lines whose item the catalogue lacks; they are left out. */
  readonly unknownLines: number;
}

/**
 * Reads a log and its catalogue.
 * @throws RecommenderError `INVALID_DATA` with what to do.
 */
export async function readEvaluationFiles(interactions: string, items: string): Promise<EvaluationFiles> {
  const read = await readInteractions(interactions, { events: BEHAVIOUR_KINDS });
  const catalogue = await readItems(items);
  const index = new Map(catalogue.ids.map((id, item) => [id, item]));
  const itemOf = Int32Array.from(read.items, (id) => index.get(id) ?? -1);
  if (itemOf.every((item) => item < 0)) {
    throw new RecommenderError('INVALID_DATA', `${items}: none of the log's ${read.items.length} items is in the catalogue; write ids alike in both (the log has ${JSON.stringify(read.items[0])}, the catalogue ${JSON.stringify(catalogue.ids[0])}).`);
  }
  const kinds = Uint8Array.from(read.kinds, (kind) => BEHAVIOUR_KINDS.findIndex((known) => known === kind));
  let known = 0;
  for (const item of read.item) if (itemOf[item]! >= 0) known++;
  const rows = new Int32Array(known);
  for (let row = 0, at = 0; row < read.item.length; row++) if (itemOf[read.item[row]!]! >= 0) rows[at++] = row;
  const pick = <T extends Int32Array | Float32Array | Float64Array | Uint8Array>(column: T): T => {
    const picked = column.slice(0, known) as T;
    for (let at = 0; at < known; at++) picked[at] = column[rows[at]!]!;
    return picked;
  };
  const log: EvaluationLog = {
    users: read.users.length,
    items: catalogue.ids.length,
    user: pick(read.user),
    item: pick(read.item).map((item) => itemOf[item]!),
    time: pick(read.time),
    clock: read.clock,
    session: read.session && pick(read.session),
    split: read.split && pick(read.split),
    kind: pick(read.kind).map((kind) => kinds[kind]!),
    quantity: read.quantity && pick(read.quantity),
  };
  return { log, users: read.users, catalogue, fileRow: read.fileRow ? pick(read.fileRow) : rows, unknownLines: read.item.length - known };
}

/** Where the values of a column are found: by row of the log, or by item of the catalogue. */
export interface GroupingColumn {
  readonly textOf: (row: number) => string;
}

/**
 * Reads the column that targets are grouped by: the catalogue's, where both files have it.
 * @throws RecommenderError `INVALID_OPTIONS`, which names the columns there are.
 */
export async function readGroupingColumn(by: string, paths: { readonly interactions: string; readonly items: string }, { log, fileRow }: EvaluationFiles): Promise<GroupingColumn> {
  const ofItems = await readColumnNames(paths.items);
  if (ofItems.includes(by)) {
    const { values, codes } = await readColumn(paths.items, by);
    return { textOf: (row) => values[codes[log.item[row]!]!]! };
  }
  const ofLog = await readColumnNames(paths.interactions);
  if (ofLog.includes(by)) {
    const { values, codes } = await readColumn(paths.interactions, by);
    return { textOf: (row) => values[codes[fileRow[row]!]!]! };
  }
  throw new RecommenderError('INVALID_OPTIONS', `--by ${by}: there is no such column; there are history and popularity, ${ofItems.join(', ')} of the items and ${ofLog.join(', ')} of the interactions.`);
}
