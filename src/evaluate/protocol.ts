import { SESSION_GAP_SECONDS } from '../behaviour/sequence.ts';
import { RecommenderError } from '../errors.ts';
import { SECONDS_PER_DAY } from '../rank/simple/baskets.ts';
import { firstOfItem, groupRows, sessionsOrUsers, sessionsOrVisits, type Groups, type Sessions } from './sequences.ts';

/**
 * How a log is divided into what may be learnt from and what is asked:
 * - `leave-one-out`: a shopper's last item that is new to her is the test, the one before it the validation (Kang & McAuley 2018); what she had
 *   is left out of rankings. Other shoppers' later rows are learnt from, as in the published tables.
 * - `session`: each item of a held-out session after its first; only the session is known, its items may come again (Hidasi et al. 2016).
 * - `temporal`: each further item of a session from a day on; the session so far and the shopper's earlier ones are known.
 */
export const PROTOCOLS = ['leave-one-out', 'session', 'temporal'] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

/** A log's columns in time order. */
export interface DividedLog {
  readonly users: number;
  readonly items: number;
  readonly user: Int32Array;
  readonly item: Int32Array;
  /** [rows] ascending, in the unit of `clock`. */
  readonly time: Float64Array;
  readonly clock: 'seconds' | 'position';
  /** [rows] -1 without one. Without the column, a shopper's rows are one session (`temporal`: visits, which a pause of half an hour ends). */
  readonly session: Int32Array | null;
  /** [rows] 0 train, 1 validation, 2 test (`SPLITS`): obeyed where present. */
  readonly split: Uint8Array | null;
}

export interface DivideOptions {
  /** Unix seconds at which the test of `temporal` starts. Default: the day on which the last tenth of the rows starts. */
  readonly from?: number;
  /** What part of the sessions (`session`) or of the rows (`temporal`) is held out for the test, and again of the rest for validation. Default 0.1. */
  readonly share?: number;
  /** [rows] 1 where a row may be a target (a purchase, say). Default: all may. */
  readonly mayBeTarget?: Uint8Array;
}

/** What is known when a target is asked for: rows of the log, oldest first. */
export interface TargetContext {
  /** The shopper's rows of earlier sessions; empty for `leave-one-out` (all is one session) and `session` (nobody is known). */
  readonly history: Int32Array;
  /** Rows of the target's session before it, at least one. */
  readonly session: Int32Array;
}

/** A log divided by a protocol; all are rows of the log, ascending. */
export interface DividedRows {
  readonly protocol: ProtocolName;
  /** What may be learnt from while the validation is still used to choose. */
  readonly training: Int32Array;
  /** What may be learnt from before the test: training and validation. */
  readonly beforeTest: Int32Array;
  /** Targets to choose by. */
  readonly validation: Int32Array;
  /** Targets to report. */
  readonly test: Int32Array;
  /** Whether a ranking leaves out the items of the target's session (all of the shopper's, for `leave-one-out`). */
  readonly leavesOutSession: boolean;
  /** Training rows that their own shopper or session did after a held-out row, as a file's `split` may have it; 0 else. */
  readonly lookingAhead: number;
  /** [rows] session of each row under this protocol, dense from 0. */
  readonly session: Int32Array;
  readonly contextOf: (target: number) => TargetContext;
}

/**
 * Divides a log by a protocol, in typed arrays of the log's length.
 * @throws RecommenderError `INVALID_DATA` for `temporal` on a log without times.
 */
export function divideLog(log: DividedLog, protocol: ProtocolName, { from, share = 0.1, mayBeTarget }: DivideOptions = {}): DividedRows {
  if (protocol === 'temporal' && log.clock === 'position' && !log.split) {
    throw new RecommenderError('INVALID_DATA', 'The protocol "temporal" needs times, and the log has positions only; add a column "timestamp" or take "leave-one-out" or "session".');
  }
  const byUser = groupRows(log.user, log.users);
  const sessions = sessionsOf(log, protocol, byUser);
  const bySession = groupRows(sessions.of, sessions.count);
  const sequences = protocol === 'temporal' ? byUser : bySession;
  const leavesOutSession = protocol !== 'session';
  const isTarget = targetRows(log, bySession, leavesOutSession, mayBeTarget);

  const part = log.split?.slice() ?? new Uint8Array(log.item.length);
  const hasPart = (wanted: number): boolean => log.split?.includes(wanted) ?? false;
  const hold = (into: number): void => {
    if (protocol === 'leave-one-out') holdLast(bySession, part, isTarget, into);
    else if (protocol === 'session') holdSessions(log, sessions, bySession, part, { into, share });
    else holdFrom(log, part, { into, from: into === TEST ? from : undefined, share });
  };
  if (!hasPart(TEST)) hold(TEST);
  const beforeTest = rowsWhere(part, (row) => part[row] === TRAINING || part[row] === VALIDATION);
  if (!hasPart(VALIDATION)) hold(VALIDATION);

  const position = new Int32Array(part.length); // of each row in sequences.rows
  sequences.rows.forEach((row, at) => (position[row] = at));
  const groupOf = protocol === 'temporal' ? log.user : sessions.of;
  return {
    protocol,
    training: rowsWhere(part, (row) => part[row] === TRAINING),
    beforeTest,
    validation: rowsWhere(part, (row) => part[row] === VALIDATION && isTarget[row] === 1),
    test: rowsWhere(part, (row) => part[row] === TEST && isTarget[row] === 1),
    leavesOutSession,
    lookingAhead: countLookingAhead(sequences, part),
    session: sessions.of,
    contextOf: (target) => {
      const before = sequences.rows.subarray(sequences.offsets[groupOf[target]!], position[target]);
      if (protocol !== 'temporal') return { history: NO_ROWS, session: before };
      const own = sessions.of[target]!;
      return { history: before.filter((row) => sessions.of[row] !== own), session: before.filter((row) => sessions.of[row] === own) };
    },
  };
}

const [TRAINING, VALIDATION, TEST, UNUSED] = [0, 1, 2, 3];
const NO_ROWS = new Int32Array(0);

function sessionsOf({ user, users, time, session, clock }: DividedLog, protocol: ProtocolName, byUser: Groups): Sessions {
  if (protocol === 'leave-one-out') return { count: users, of: user };
  if (protocol === 'session' || clock === 'position') return sessionsOrUsers(user, users, session);
  return sessionsOrVisits(byUser, time, session, SESSION_GAP_SECONDS);
}

/** 1 where something of the session lies before the row and its item can be ranked: [rows]. */
function targetRows({ item, items }: DividedLog, bySession: Groups, leavesOutSession: boolean, mayBeTarget: Uint8Array | undefined): Uint8Array {
  const isTarget = leavesOutSession ? firstOfItem(bySession, item, items) : new Uint8Array(item.length).fill(1);
  const { offsets, rows } = bySession;
  for (let group = 0; group + 1 < offsets.length; group++) if (offsets[group]! < offsets[group + 1]!) isTarget[rows[offsets[group]!]!] = 0;
  if (mayBeTarget) for (let row = 0; row < isTarget.length; row++) isTarget[row]! &= mayBeTarget[row]!;
  return isTarget;
}

/** Holds out each group's last target; what the group did after it is not used, for it would look ahead. */
function holdLast({ offsets, rows }: Groups, part: Uint8Array, isTarget: Uint8Array, into: number): void {
  for (let group = 0; group + 1 < offsets.length; group++) {
    let last = offsets[group + 1]! - 1;
    while (last >= offsets[group]! && !(part[rows[last]!] === TRAINING && isTarget[rows[last]!] === 1)) last--;
    if (last < offsets[group]!) continue;
    part[rows[last]!] = into;
    for (let at = last + 1; at < offsets[group + 1]!; at++) if (part[rows[at]!] === TRAINING) part[rows[at]!] = UNUSED;
  }
}

/** Holds out the sessions that start last, and leaves out what earlier sessions did from that moment on. */
function holdSessions({ time, clock }: DividedLog, { of }: Sessions, { offsets, rows }: Groups, part: Uint8Array, { into, share }: { into: number; share: number }): void {
  // Positions tell no order between shoppers: there the file's order of sessions stands for time, which the numbers of sessions keep.
  const startOf = (session: number): number => (clock === 'seconds' ? time[rows[offsets[session]!]!]! : session);
  const starts: number[] = [];
  for (let session = 0; session + 1 < offsets.length; session++) {
    if (offsets[session]! < offsets[session + 1]! && part[rows[offsets[session]!]!] === TRAINING) starts.push(startOf(session));
  }
  const cut = cutOf(Float64Array.from(starts).sort(), share);
  for (let row = 0; row < part.length; row++) {
    if (part[row] !== TRAINING) continue;
    if (startOf(of[row]!) >= cut) part[row] = into;
    else if (clock === 'seconds' && time[row]! >= cut) part[row] = UNUSED;
  }
}

/** Holds out the rows from a moment on. */
function holdFrom({ time }: DividedLog, part: Uint8Array, { into, from, share }: { into: number; from: number | undefined; share: number }): void {
  const cut = from ?? dayOf(time.filter((_, row) => part[row] === TRAINING), share);
  for (let row = 0; row < part.length; row++) if (part[row] === TRAINING && time[row]! >= cut) part[row] = into;
}

/** Start of the day (UTC) of the last `share`, or the moment itself where all before it is of that day. */
function dayOf(ascending: Float64Array, share: number): number {
  const cut = cutOf(ascending, share);
  const day = Math.floor(cut / SECONDS_PER_DAY) * SECONDS_PER_DAY;
  return ascending[0]! < day ? day : cut;
}

/** The least value of the last `share` of the values, after the first where there are different ones. */
function cutOf(ascending: Float64Array, share: number): number {
  const cut = ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * (1 - share)))] ?? Infinity;
  if (cut > ascending[0]!) return cut;
  return ascending.find((value) => value > cut) ?? Infinity;
}

function countLookingAhead({ offsets, rows }: Groups, part: Uint8Array): number {
  let count = 0;
  for (let group = 0; group + 1 < offsets.length; group++) {
    let held = false;
    for (let at = offsets[group]!; at < offsets[group + 1]!; at++) {
      const of = part[rows[at]!]!;
      if (of === VALIDATION || of === TEST) held = true;
      else if (held && of === TRAINING) count++;
    }
  }
  return count;
}

function rowsWhere(part: Uint8Array, isWanted: (row: number) => boolean): Int32Array {
  let count = 0;
  for (let row = 0; row < part.length; row++) if (isWanted(row)) count++;
  const rows = new Int32Array(count);
  for (let row = 0, at = 0; row < part.length; row++) if (isWanted(row)) rows[at++] = row;
  return rows;
}
