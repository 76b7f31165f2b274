import { RecommenderError } from '../errors.ts';
import type { LogColumns } from '../learn/histories.ts';
import { visitsOf } from '../learn/encoder-tuning/visits.ts';
import type { Baskets } from '../rank/simple/baskets.ts';
import { readInteractions, readItems, SPLITS, type CatalogueItems } from './data.ts';
import { DEFAULT_VALIDATION_DAYS } from './train/read-shop.ts';

const SECONDS_PER_DAY = 86_400;
/** Where a log has positions, every tenth shopper validates. */
const VALIDATION_SHOPPERS = 10;

export interface ShopVisits {
  readonly items: CatalogueItems;
  readonly training: Baskets;
  readonly validation: Baskets;
  /** Unix seconds; 0 for a log with positions. */
  readonly until: number;
}

/**
 * Reads what shoppers took together, items by their row in the catalogue. The last `validationDays` before `until` (or split `validation`, or of a log
 * with positions every tenth shopper) are held back; what is later, or in split `test`, is not read.
 * @throws RecommenderError `INVALID_DATA`, also where no line is left or no item of the log is in the catalogue; `INVALID_OPTIONS` for a wrong date.
 */
export async function readVisits(options: { readonly interactions: string; readonly items: string; readonly until?: string; readonly validationDays?: number }): Promise<ShopVisits> {
  const log = await readInteractions(options.interactions);
  const items = await readItems(options.items);
  const timed = log.clock === 'seconds';
  const until = options.until === undefined ? (timed ? (log.time.at(-1) ?? 0) + 1 : Infinity) : Date.parse(options.until) / 1_000;
  if (Number.isNaN(until)) throw new RecommenderError('INVALID_OPTIONS', `--until ${options.until ?? ''} is not a date such as 2011-11-01.`);
  if (!timed && options.until !== undefined) throw new RecommenderError('INVALID_OPTIONS', `--until: ${options.interactions} has positions, no times.`);
  const from = until - (options.validationDays ?? DEFAULT_VALIDATION_DAYS) * SECONDS_PER_DAY;
  const index = new Map(items.ids.map((id, item) => [id, item]));
  const itemOf = Int32Array.from(log.items, (id) => index.get(id) ?? -1);
  const hasValidation = log.split?.includes(SPLITS.indexOf('validation')) ?? false;
  const partOf = (row: number): 'training' | 'validation' | null => {
    if (itemOf[log.item[row]!]! < 0 || log.time[row]! >= until || log.split?.[row] === SPLITS.indexOf('test')) return null;
    const held = hasValidation ? log.split![row] === SPLITS.indexOf('validation') : timed ? log.time[row]! >= from : log.user[row]! % VALIDATION_SHOPPERS === 0;
    return held ? 'validation' : 'training';
  };
  const visitsIn = (part: 'training' | 'validation'): Baskets => {
    const rows = new Int32Array(log.item.length).map((_, row) => row).filter((row) => partOf(row) === part);
    const columns: LogColumns = {
      users: log.users.length,
      items: items.ids.length,
      user: Int32Array.from(rows, (row) => log.user[row]!),
      item: Int32Array.from(rows, (row) => itemOf[log.item[row]!]!),
      kind: Uint8Array.from(rows, (row) => log.kind[row]!),
      time: Float64Array.from(rows, (row) => log.time[row]!),
      price: new Float32Array(rows.length).fill(NaN),
      session: Int32Array.from(rows, (row) => log.session?.[row] ?? -1),
    };
    return visitsOf(columns, timed ? {} : { pauseSeconds: Infinity });
  };
  const visits = { items, training: visitsIn('training'), validation: visitsIn('validation'), until: timed ? until : 0 };
  if (visits.training.time.length === 0) throw new RecommenderError('INVALID_DATA', `${options.interactions}: no line to learn from is left whose item is in ${options.items}; choose a later --until or fewer --validation-days.`);
  return visits;
}
