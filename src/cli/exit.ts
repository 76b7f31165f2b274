import { RecommenderError, type ErrorCode } from '../errors.ts';

/** The caller's own mistakes: an option, a file or a package is not as documented. */
const MISUSE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['INVALID_DATA', 'INVALID_OPTIONS', 'PEER_MISSING', 'PACK_INVALID', 'PACK_UNAVAILABLE']);
/** What the operating system says of a path that the caller gave. */
const PATH_ERRORS: ReadonlySet<unknown> = new Set(['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'EEXIST', 'EROFS', 'EPERM']);

/** What a shell says of a command that Ctrl-C ended: 128 and the signal's number. */
export const INTERRUPTED = 130;

/** Exit code and text for an error: 2 and one line for what the caller can mend, 130 after Ctrl-C, 1 for the rest, with the stack of a defect of ours. */
export function describeExit(error: unknown): { readonly exitCode: 1 | 2 | typeof INTERRUPTED; readonly text: string } {
  if (error instanceof RecommenderError && error.code !== 'INTERNAL') {
    const text = `shelfwise: ${error.message.replaceAll(/\s*\n\s*/g, ' ')} [${error.code}]`;
    return { exitCode: error.code === 'ABORTED' ? INTERRUPTED : MISUSE.has(error.code) ? 2 : 1, text };
  }
  if (error instanceof Error && 'code' in error && PATH_ERRORS.has(error.code)) {
    return { exitCode: 2, text: `shelfwise: ${error.message}` };
  }
  return { exitCode: 1, text: `shelfwise: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` };
}
