import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupByUser, logBefore, sortByGroup, type LogColumns } from '../../../src/learn/histories.ts';
import { basketsOf } from '../../../src/learn/shop.ts';

const USERS = 4;
const ITEMS = 5;

/** Logs in time order, with equal times, repeated items, and rows with and without a session. */
const logs = fc.array(fc.record({ user: fc.nat(USERS - 1), item: fc.nat(ITEMS - 1), gap: fc.constantFrom(0, 0, 1, 60), session: fc.integer({ min: -1, max: 5 }) }), { maxLength: 40 }).map((rows): LogColumns => {
  let now = 1e9;
  return {
    users: USERS,
    items: ITEMS,
    user: Int32Array.from(rows, ({ user }) => user),
    item: Int32Array.from(rows, ({ item }) => item),
    kind: Uint8Array.from(rows, (_, row) => row % 3),
    time: Float64Array.from(rows, ({ gap }) => (now += gap)),
    price: Float32Array.from(rows, (_, row) => row),
    session: Int32Array.from(rows, ({ session }) => session),
  };
});

const rowsOf = (log: LogColumns): number[] => [...log.item.keys()];

describe('passes over a log’s columns', () => {
  it('group by user as a list of objects would be', () => {
    fc.assert(fc.property(logs, fc.boolean(), (log, repeats) => {
      const kept = rowsOf(log).filter((row) => repeats || log.session[row] === -1 || rowsOf(log).findIndex((other) => log.session[other] === log.session[row] && log.item[other] === log.item[row]) === row);
      const grouped = Array.from({ length: USERS }, (_, user) => kept.filter((row) => log.user[row] === user));
      const { offsets, item, kind, time, price, session } = groupByUser(log, { repeats });
      const order = grouped.flat();
      expect([...offsets]).toEqual([0, ...grouped.map((_, user) => grouped.slice(0, user + 1).flat().length)]);
      for (const [got, column] of [[item, log.item], [kind, log.kind], [time, log.time], [price, log.price], [session, log.session]] as const) {
        expect([...got]).toEqual(order.map((row) => column[row]));
      }
    }));
  });

  it('find baskets as a map of rows would', () => {
    fc.assert(fc.property(logs, fc.boolean(), (log, repeats) => {
      const baskets = new Map<string, number[]>();
      for (const row of rowsOf(log)) {
        const key = log.session[row]! >= 0 ? `s${log.session[row]!}` : `u${log.user[row]!} ${log.time[row]!}`;
        const rows = baskets.get(key) ?? [];
        if (repeats || !rows.some((other) => log.item[other] === log.item[row])) rows.push(row);
        baskets.set(key, rows);
      }
      const expected = [...baskets.values()];
      const { items, offsets, time, user } = basketsOf(log, { repeats });
      expect(expected.map((_, basket) => [...items.subarray(offsets[basket], offsets[basket + 1])])).toEqual(expected.map((rows) => rows.map((row) => log.item[row])));
      expect([...time]).toEqual(expected.map(([first]) => log.time[first!]));
      expect([...user]).toEqual(expected.map(([first]) => log.user[first!]));
      expect(offsets).toHaveLength(expected.length + 1);
    }));
  });

  it('end before a moment', () => {
    fc.assert(fc.property(logs, fc.integer({ min: 999_999_999, max: 1_000_000_600 }), (log, until) => {
      expect([...logBefore(log, until).price]).toEqual(rowsOf(log).filter((row) => log.time[row]! < until));
    }));
  });

  it('sort rows by group, those of one group in their order, without the negative ones', () => {
    const { rows, starts } = sortByGroup(Int32Array.of(2, 0, -1, 2, 0));
    expect([...rows]).toEqual([1, 4, 0, 3]);
    expect([...starts]).toEqual([0, 2, 2, 4]);
    expect(sortByGroup(new Int32Array(0)).rows).toHaveLength(0);
  });
});
