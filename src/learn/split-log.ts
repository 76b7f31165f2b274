import { SESSION_GAP_SECONDS } from '../behaviour/sequence.ts';
import { divideLog, type DividedLog } from '../evaluate/protocol.ts';
import { groupRows, sessionsOrVisits } from '../evaluate/sequences.ts';
import type { Histories, LogColumns } from './histories.ts';
import type { Protocol } from './protocol.ts';

/** Part of a log that a row belongs to. */
export const TRAIN = 0;
export const VALIDATION = 1;
export const TEST = 2;

export interface TrainingSplit {
  /** TRAIN is learnt before anything is measured, VALIDATION is what the epoch and the head are chosen by, TEST is never learnt, [rows]. */
  readonly part: Uint8Array;
  /** Session of each row under the protocol, [rows]. */
  readonly session: Int32Array;
}

/**
 * Divides a log for training: by sessions or by shoppers just as the evaluation does, so that what it asks was not learnt. In `temporal` what
 * the log states of its rows is obeyed, nothing from `until` on is learnt, and a log that states no validation has its rows from `from` on
 * (Unix seconds) held back.
 */
export function splitLog(log: DividedLog, protocol: Protocol, { from, until }: { readonly from: number; readonly until: number }): TrainingSplit {
  if (protocol === 'temporal') return splitByTime(log, from, until);
  const { training, beforeTest, session } = divideLog(log, protocol);
  const part = new Uint8Array(log.item.length).fill(TEST);
  for (const row of beforeTest) part[row] = VALIDATION;
  for (const row of training) part[row] = TRAIN;
  return { part, session };
}

function splitByTime({ users, user, time, session, split }: DividedLog, from: number, until: number): TrainingSplit {
  const part = split?.slice() ?? new Uint8Array(user.length);
  const statesValidation = part.includes(VALIDATION);
  for (let row = 0; row < part.length; row++) {
    if (time[row]! >= until) part[row] = TEST;
    else if (!statesValidation && part[row] === TRAIN && time[row]! >= from) part[row] = VALIDATION;
  }
  return { part, session: sessionsOrVisits(groupRows(user, users), time, session, SESSION_GAP_SECONDS).of };
}

/** Row of the first event that is learnt after a validation event of the same user, or -1: histories are cut once. */
export function firstBehindValidation({ users, user }: Pick<DividedLog, 'users' | 'user'>, part: Uint8Array): number {
  const held = new Uint8Array(users);
  for (let row = 0; row < part.length; row++) {
    if (part[row] === VALIDATION) held[user[row]!] = 1;
    else if (part[row] === TRAIN && held[user[row]!] === 1) return row;
  }
  return -1;
}

/** The rows of a log that `keep` names. */
export function rowsOfLog(log: LogColumns, keep: (row: number) => boolean): LogColumns {
  const rows = new Int32Array(log.item.length).map((_, row) => row).filter((row) => keep(row));
  return {
    ...log,
    user: rows.map((row) => log.user[row]!),
    item: rows.map((row) => log.item[row]!),
    kind: Uint8Array.from(rows, (row) => log.kind[row]!),
    time: Float64Array.from(rows, (row) => log.time[row]!),
    price: Float32Array.from(rows, (row) => log.price[row]!),
    session: rows.map((row) => log.session[row]!),
  };
}

/** First event of each user's validation part among the events of `refit`, the user's end where there is none: [users]. */
export function heldFrom({ training, refit }: { readonly training: Histories; readonly refit: Histories }): Int32Array {
  return Int32Array.from({ length: refit.users }, (_, user) => refit.offsets[user]! + training.offsets[user + 1]! - training.offsets[user]!);
}
