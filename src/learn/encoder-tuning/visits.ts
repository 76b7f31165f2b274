import { createBaskets, type Baskets } from '../../rank/simple/baskets.ts';
import type { LogColumns } from '../histories.ts';

/** A pause that ends a visit, as web analytics count it. */
const PAUSE_SECONDS = 1_800;

/**
 * What shoppers bought or viewed together: the log's sessions; where it has none, a shopper's events without a pause of half an hour
 * between them, or all of them where the log has positions instead of times (`pauseSeconds` Infinity). A visit has an item once.
 */
export function visitsOf(log: LogColumns, { pauseSeconds = PAUSE_SECONDS } = {}): Baskets {
  const visits = new Map<number | string, { user: number; time: number; items: Set<number> }>();
  const running = new Map<number, { last: number; number: number }>();
  for (let row = 0; row < log.item.length; row++) {
    const [user, time, session] = [log.user[row]!, log.time[row]!, log.session[row]!];
    const before = running.get(user);
    const number = before ? before.number + (time - before.last > pauseSeconds ? 1 : 0) : 0;
    running.set(user, { last: time, number });
    const key = session >= 0 ? session : `${user} ${number}`;
    const visit = visits.get(key) ?? { user, time, items: new Set<number>() };
    visit.items.add(log.item[row]!);
    visits.set(key, visit);
  }
  return createBaskets(Array.from(visits.values(), ({ user, time, items }) => ({ user, time, items: [...items] })));
}
