import { describe, expect, test } from 'vitest';
import { groupByUser } from '../../../src/learn/histories.ts';
import { firstBehindValidation, heldFrom, rowsOfLog, splitLog, TEST, TRAIN, VALIDATION } from '../../../src/learn/split-log.ts';

/** Rows of users, each about an item of its own. */
function rowsOf(events: readonly (readonly [user: number, time: number, session?: number])[], split: readonly number[] | null = null) {
  return {
    users: 1 + Math.max(...events.map(([user]) => user)),
    items: events.length,
    user: Int32Array.from(events, ([user]) => user),
    item: Int32Array.from(events, (_, row) => row),
    time: Float64Array.from(events, ([, time]) => time),
    clock: 'seconds' as const,
    session: events.some(([, , session]) => session !== undefined) ? Int32Array.from(events, ([, , session]) => session ?? -1) : null,
    split: split && Uint8Array.from(split),
  };
}
const always = { from: 0, until: Infinity };

describe('dividing a log for training', () => {
  test('temporal: by days, and by what the log states of its rows; visits end at a pause of half an hour', () => {
    const events = [[0, 1], [0, 5_000], [1, 8_000], [1, 12_000]] as const;
    const { part, session } = splitLog(rowsOf(events), 'temporal', { from: 5_000, until: 10_000 });
    expect([...part]).toEqual([TRAIN, VALIDATION, VALIDATION, TEST]);
    expect(new Set(session).size).toBe(4);
    expect([...splitLog(rowsOf(events, [0, 0, 1, 2]), 'temporal', { from: 5_000, until: 20_000 }).part]).toEqual([TRAIN, TRAIN, VALIDATION, TEST]);
  });

  test('leave-one-out: the last event is for the test and the one before it validates', () => {
    const rows = rowsOf([[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [0, 2], [0, 3]]);
    expect([...splitLog(rows, 'leave-one-out', always).part]).toEqual([TRAIN, TRAIN, TRAIN, TRAIN, TEST, VALIDATION, TEST]);
  });

  test('session: of the sessions that are not for the test the last tenth validates', () => {
    const rows = rowsOf(Array.from({ length: 40 }, (_, row) => [row % 20, row < 20 ? 0 : 1] as const), Array.from({ length: 40 }, (_, row) => (row % 20 >= 10 ? TEST : TRAIN)));
    const { part } = splitLog({ ...rows, clock: 'position' }, 'session', always);
    expect([...part].map((value, row) => (value === VALIDATION ? row : -1)).filter((row) => row >= 0)).toEqual([9, 29]);
  });

  test('a history is cut once, and the held part starts where its training rows end', () => {
    const rows = rowsOf([[0, 0, 0], [0, 1, 0], [1, 2, 1], [0, 3, 0]]);
    expect(firstBehindValidation(rows, Uint8Array.of(TRAIN, VALIDATION, TRAIN, TRAIN))).toBe(3);
    expect(firstBehindValidation(rows, Uint8Array.of(TRAIN, VALIDATION, TRAIN, TEST))).toBe(-1);
    const log = { ...rows, session: rows.session!, items: 9, item: Int32Array.of(1, 2, 3, 4), kind: new Uint8Array(4), price: new Float32Array(4) };
    const part = Uint8Array.of(TRAIN, TRAIN, TRAIN, VALIDATION);
    const histories = { training: groupByUser(rowsOfLog(log, (row) => part[row] === TRAIN)), refit: groupByUser(log) };
    expect([...heldFrom(histories)]).toEqual([2, 4]);
  });
});
