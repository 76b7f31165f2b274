/** Rows of a log by group (shopper or session), each group's in the log's order. */
export interface Groups {
  /** [groups + 1]: group g is rows[offsets[g]] .. rows[offsets[g + 1]]. */
  readonly offsets: Int32Array;
  /** [rows] */
  readonly rows: Int32Array;
}

/** Groups rows by a dense number, by counting sort. */
export function groupRows(groupOf: Int32Array, groups: number): Groups {
  const offsets = new Int32Array(groups + 1);
  for (const group of groupOf) offsets[group + 1]!++;
  for (let group = 0; group < groups; group++) offsets[group + 1]! += offsets[group]!;
  const next = offsets.slice(0, groups);
  const rows = new Int32Array(groupOf.length);
  for (let row = 0; row < groupOf.length; row++) rows[next[groupOf[row]!]!++] = row;
  return { offsets, rows };
}

/** 1 at the rows with an item that their group has not had before: [rows]. */
export function firstOfItem({ offsets, rows }: Groups, item: Int32Array, items: number): Uint8Array {
  const first = new Uint8Array(rows.length);
  const lastGroup = new Int32Array(items).fill(-1);
  for (let group = 0; group + 1 < offsets.length; group++) {
    for (let at = offsets[group]!; at < offsets[group + 1]!; at++) {
      const row = rows[at]!;
      if (lastGroup[item[row]!] !== group) first[row] = 1;
      lastGroup[item[row]!] = group;
    }
  }
  return first;
}

/** Sessions as dense numbers: [rows]. */
export interface Sessions {
  readonly count: number;
  readonly of: Int32Array;
}

/** Each shopper's rows are one session, except rows that the log gives a session of their own. */
export function sessionsOrUsers(user: Int32Array, users: number, session: Int32Array | null): Sessions {
  if (!session) return { count: users, of: user };
  let named = 0;
  for (const number of session) if (number >= named) named = number + 1;
  return { count: named + users, of: session.map((number, row) => (number >= 0 ? number : named + user[row]!)) };
}

/** Rows without a session belong to visits, which a pause of `gapSeconds` ends. */
export function sessionsOrVisits(byUser: Groups, time: Float64Array, session: Int32Array | null, gapSeconds: number): Sessions {
  let count = 0;
  if (session) for (const number of session) if (number >= count) count = number + 1;
  const of = session?.slice() ?? new Int32Array(time.length).fill(-1);
  const { offsets, rows } = byUser;
  for (let user = 0; user + 1 < offsets.length; user++) {
    let before = -1; // the user's row before without a session
    for (let at = offsets[user]!; at < offsets[user + 1]!; at++) {
      const row = rows[at]!;
      if (of[row]! >= 0) continue;
      const goesOn = before >= 0 && time[row]! - time[before]! <= gapSeconds;
      of[row] = goesOn ? of[before]! : count++;
      before = row;
    }
  }
  return { count, of };
}
