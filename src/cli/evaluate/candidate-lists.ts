import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { RecommenderError } from '../../errors.ts';

/** Each shopper's candidates, read from a file. */
export interface CandidateLists {
  /** Items of the catalogue, by shopper. */
  readonly of: ReadonlyMap<number, Int32Array>;
  /** Ids that the catalogue lacks, and lists of users whom the log lacks: left out. */
  readonly unknownItems: number;
  readonly unknownUsers: number;
}

/**
 * Reads candidate lists, one line a user: `user<TAB>item item …`; gzip too.
 * @throws RecommenderError `INVALID_DATA` with the line.
 */
export async function readCandidateLists(path: string, users: readonly string[], items: readonly string[]): Promise<CandidateLists> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw invalid(path, 'there is no such file.');
  if (!found.isFile()) throw invalid(path, 'that is a folder; name one file of lines "user<TAB>item item …".');
  const userOf = new Map(users.map((id, user) => [id, user]));
  const itemOf = new Map(items.map((id, item) => [id, item]));
  const of = new Map<number, Int32Array>();
  let unknownItems = 0;
  let unknownUsers = 0;
  let line = 0;
  const file = createReadStream(path);
  const text = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  file.on('error', (error) => text.destroy(error));
  try {
    for await (const record of createInterface({ input: text, crlfDelay: Infinity })) {
      line++;
      if (record.trim() === '') continue;
      const tab = record.indexOf('\t');
      if (tab <= 0) throw invalid(path, `line ${line}: no user before a tab; write user<TAB>item item ….`);
      const ids = record.slice(tab + 1).split(' ').filter((id) => id !== '');
      if (ids.length === 0) throw invalid(path, `line ${line}: no items behind the tab; name some, or leave the line out.`);
      const user = userOf.get(record.slice(0, tab));
      if (user === undefined) {
        unknownUsers++;
        continue;
      }
      if (of.has(user)) throw invalid(path, `line ${line}: user ${JSON.stringify(record.slice(0, tab))} has a list before; keep one line a user.`);
      const known = [...new Set(ids)].flatMap((id) => itemOf.get(id) ?? []);
      unknownItems += new Set(ids).size - known.length;
      of.set(user, Int32Array.from(known));
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) throw invalid(path, 'the gzip data end early or are damaged; compress or copy the file again.');
    throw error;
  }
  if (line === 0) throw invalid(path, 'the file is empty; write a line user<TAB>item item … for each user.');
  if (of.size === 0) throw invalid(path, `none of its users is in the log; write ids alike in both (the log has ${JSON.stringify(users[0])}).`);
  return { of, unknownItems, unknownUsers };
}

const invalid = (path: string, detail: string): RecommenderError => new RecommenderError('INVALID_DATA', `${path}: ${detail}`);
