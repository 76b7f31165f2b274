import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divideLog, PROTOCOLS, type DividedLog } from '../../../src/evaluate/protocol.ts';
import { createQuery } from '../../../src/evaluate/query.ts';

type Row = readonly [user: number, item: number, time: number, session?: number | undefined, split?: number | undefined];

function logOf(rows: readonly Row[], clock: DividedLog['clock'] = 'seconds'): DividedLog {
  const column = (at: 0 | 1 | 3 | 4): Int32Array => Int32Array.from(rows, (row) => row[at] ?? -1);
  return {
    users: Math.max(-1, ...rows.map(([user]) => user)) + 1,
    items: Math.max(-1, ...rows.map(([, item]) => item)) + 1,
    user: column(0),
    item: column(1),
    time: Float64Array.from(rows, ([, , time]) => time),
    clock,
    session: rows.some((row) => row[3] !== undefined) ? column(3) : null,
    split: rows.some((row) => row[4] !== undefined) ? Uint8Array.from(column(4)) : null,
  };
}

describe('leave-one-out', () => {
  // Rows 0-3: shopper 0 has items 0, 1, 2, 3; then shopper 1 has 5, 6; shopper 2 has 7 alone.
  const log = logOf([[0, 0, 1], [0, 1, 2], [1, 5, 3], [0, 2, 4], [0, 3, 5], [1, 6, 6], [2, 7, 7]]);

  it('asks for the last item, and in validation for the one before it', () => {
    const { training, beforeTest, validation, test, contextOf, leavesOutSession } = divideLog(log, 'leave-one-out');
    expect([...test]).toEqual([4, 5]);
    expect([...validation]).toEqual([3]);
    expect([...training]).toEqual([0, 1, 2, 6]);
    expect([...beforeTest]).toEqual([0, 1, 2, 3, 6]);
    expect(contextOf(4)).toEqual({ history: new Int32Array(0), session: Int32Array.of(0, 1, 3) });
    expect([...contextOf(3).session]).toEqual([0, 1]);
    expect(leavesOutSession).toBe(true);
  });

  it('asks for the last item that is new, and learns nothing of what came after it', () => {
    const { training, test } = divideLog(logOf([[0, 0, 1], [0, 1, 2], [0, 2, 3], [0, 0, 4]]), 'leave-one-out');
    expect([...test]).toEqual([2]);
    expect([...training]).toEqual([0]);
  });

  it('asks for rows that may be targets only', () => {
    const { test } = divideLog(log, 'leave-one-out', { mayBeTarget: Uint8Array.of(1, 1, 1, 1, 0, 0, 1) });
    expect([...test]).toEqual([3]);
  });
});

describe('session', () => {
  it('asks for each item of the last sessions after its first, repeats included', () => {
    const rows: Row[] = [];
    for (let session = 0; session < 10; session++) for (const item of [1, 2, 1]) rows.push([session, item, session * 10 + item]);
    const { test, validation, training, contextOf, leavesOutSession } = divideLog(logOf(rows.toSorted((a, b) => a[2] - b[2])), 'session', { share: 0.2 });
    expect([...test]).toEqual([25, 26, 28, 29]);
    expect([...contextOf(26).session]).toEqual([24, 25]);
    expect(validation.length).toBe(4);
    expect(training.length).toBe(18);
    expect(leavesOutSession).toBe(false);
  });

  it('does not learn what an earlier session does after the test has begun', () => {
    const { training, beforeTest, test } = divideLog(logOf([[0, 0, 1], [1, 0, 2], [2, 0, 3], [2, 1, 4], [0, 1, 5]]), 'session', { share: 0.3 });
    expect([...test]).toEqual([3]);
    expect([...beforeTest]).toEqual([0, 1]);
    expect([...training]).toEqual([0]);
  });

  it('takes the order of the file for time where there are positions only', () => {
    const { test } = divideLog(logOf([[0, 0, 0], [1, 1, 0], [0, 2, 1], [1, 3, 1]], 'position'), 'session');
    expect([...test]).toEqual([3]);
  });
});

describe('temporal', () => {
  it('asks for further items of a session from a day on, given it and the earlier ones', () => {
    const log = logOf([[0, 0, 10, 0], [0, 1, 10, 0], [1, 4, 15, 1], [0, 2, 20, 2], [0, 0, 20, 2], [0, 2, 20, 2], [0, 3, 20, 2]]);
    const { training, beforeTest, test, contextOf } = divideLog(log, 'temporal', { from: 20 });
    expect([...beforeTest]).toEqual([0, 1, 2]);
    expect([...training]).toEqual([0, 1]);
    expect([...test]).toEqual([4, 6]); // the session's first item and one that it has already are no targets
    expect(contextOf(6)).toEqual({ history: Int32Array.of(0, 1), session: Int32Array.of(3, 4, 5) });
  });

  it('ends a visit at a pause of half an hour where the log has no sessions', () => {
    const { test, session } = divideLog(logOf([[0, 0, 0], [0, 1, 5_000], [0, 2, 5_100], [0, 3, 9_000], [0, 4, 9_100]]), 'temporal', { from: 5_000 });
    expect([...test]).toEqual([2, 4]);
    expect([...session]).toEqual([0, 1, 1, 2, 2]);
  });

  it('starts on a whole day where it may', () => {
    const day = 86_400;
    const { test, beforeTest } = divideLog(logOf(Array.from({ length: 20 }, (_, at): Row => [0, at, at * (day / 4), 0])), 'temporal', { share: 0.1 });
    expect([...beforeTest]).toHaveLength(16);
    expect([...test]).toEqual([16, 17, 18, 19]);
  });

  it('needs times', () => {
    expect(() => divideLog(logOf([[0, 0, 0]], 'position'), 'temporal')).toThrow(/needs times.*"leave-one-out" or "session"/);
  });
});

it('obeys a split column, and counts where it looks ahead', () => {
  const log = logOf([[0, 0, 1, 0, 0], [0, 1, 2, 0, 1], [0, 2, 3, 0, 2], [1, 3, 4, 1, 2], [1, 4, 5, 1, 2], [1, 5, 6, 1, 0]]);
  for (const protocol of PROTOCOLS) {
    const { training, beforeTest, validation, test, lookingAhead } = divideLog(log, protocol);
    expect([...training]).toEqual([0, 5]);
    expect([...beforeTest]).toEqual([0, 1, 5]);
    expect([...validation]).toEqual([1]);
    expect([...test]).toEqual([2, 4]);
    expect(lookingAhead).toBe(1);
  }
});

it('never looks ahead, whatever the log', () => {
  const row = fc.tuple(fc.nat(4), fc.nat(6), fc.nat(40), fc.integer({ min: -1, max: 3 }));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), fc.constantFrom(...PROTOCOLS), fc.boolean(), (drawn, protocol, hasSessions) => {
      // A session is one shopper's.
      const rows = drawn.map(([user, item, time, session]): Row => [user, item, time * 1_000, hasSessions ? (session < 0 ? -1 : user * 4 + session) : undefined]);
      const log = logOf(rows.sort((a, b) => a[2] - b[2]));
      const divided = divideLog(log, protocol, { share: 0.3 });
      expect(divided.lookingAhead).toBe(0);
      const group = protocol === 'session' ? divided.session : log.user;
      for (const [targets, learnt] of [[divided.test, divided.beforeTest], [divided.validation, divided.training]] as const) {
        const held = new Set(targets);
        expect(learnt.some((at) => held.has(at))).toBe(false);
        for (const target of targets) {
          const { history, session } = divided.contextOf(target);
          expect(session.length).toBeGreaterThan(0);
          for (const at of [...history, ...session]) expect(at).toBeLessThan(target);
          for (const at of learnt) if (protocol === 'temporal' || group[at] === group[target]) expect(at).toBeLessThan(target);
          // Across shoppers, too, where the protocol is one of time.
          if (protocol === 'session') for (const at of learnt) expect(log.time[at]!).toBeLessThan(log.time[session[0]!]!);
          if (divided.leavesOutSession) expect([...session].map((at) => log.item[at])).not.toContain(log.item[target]);
        }
      }
    }),
  );
});

describe('a question', () => {
  const log = { ...logOf([[0, 0, 10], [0, 1, 20], [0, 2, 30]]), kind: new Uint8Array(3), quantity: null };
  const divided = divideLog(log, 'session');

  it('is asked right after the behaviour before it', () => {
    expect(createQuery(log, divided, 2)).toMatchObject({ now: 20, target: 2 });
  });

  it('is asked as the session starts where nothing is known', () => {
    expect(createQuery(log, divided, 0)).toMatchObject({ now: 10, target: 0, known: { session: [], history: [] } });
  });
});
