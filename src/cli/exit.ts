import { RecommenderError } from '../errors.ts';

/** The caller's own mistake: an option or a data file is not as documented. */
const MISUSE_CODES: ReadonlySet<string> = new Set(['INVALID_DATA', 'INVALID_OPTIONS', 'PEER_MISSING', 'PACK_INVALID', 'PACK_UNAVAILABLE']);

/** Exit code and text for an error: 2 and one line for what the caller can mend, 1 and the stack for a defect of ours. */
export function describeExit(error: unknown): { readonly exitCode: 1 | 2; readonly text: string } {
  if (error instanceof RecommenderError && MISUSE_CODES.has(error.code)) {
    return { exitCode: 2, text: `shelfwise: ${error.message.replaceAll(/\s*\n\s*/g, ' ')} [${error.code}]` };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: 1, text: `shelfwise: ${text}` };
}
