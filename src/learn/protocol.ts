import type { ProtocolName } from '../evaluate/protocol.ts';

/** How a log is divided into what is learnt and what is asked. */
export type Protocol = ProtocolName;

/** What is asked of the held-out part of a log while models train. */
export interface Questions {
  /** Whether items of the session so far are left out of rankings, and so are no targets; a session is the whole history in leave-one-out. */
  readonly leavesOut: boolean;
  /** Lines of a session that are asked for, after its first. */
  readonly mostLines: number;
  /** Whether shoppers without a history before the held-out part are asked, too. */
  readonly newShoppers: boolean;
  /** Shoppers that choose the epoch, spread evenly over all that can be asked. */
  readonly shoppers: number;
}

const LINES = 15; // per session, as in the quality bench

/**
 * - `temporal`: the next line within each session of the last days.
 * - `session`: each item of a held-out session after its first; what the session has may come again.
 * - `leave-one-out`: each shopper's held-out item, among all that the shopper has not had.
 */
export const QUESTIONS: Readonly<Record<Protocol, Questions>> = {
  temporal: { leavesOut: true, mostLines: LINES, newShoppers: false, shoppers: 400 },
  session: { leavesOut: false, mostLines: Infinity, newShoppers: true, shoppers: 2_000 },
  'leave-one-out': { leavesOut: true, mostLines: Infinity, newShoppers: false, shoppers: 5_000 },
};
