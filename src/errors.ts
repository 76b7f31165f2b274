/** Every error that Shelfwise raises or reports, with what the reader can do about it. */
export const ERROR_CODES = {
  CLOSED: 'The recommender was closed; create a new one.',
  ABORTED: 'The caller aborted the request.',
  INVALID_OPTIONS: 'An option is not as documented.',
  INVALID_EVENT: 'An event is not as documented.',
  INVALID_CANDIDATES: 'Candidates must be a list of objects with ids.',
  CONSENT_DENIED: 'The shopper has not consented; call setConsent().',
  DEADLINE: 'No answer in time; the server order was kept.',
  WORKER_FAILED: 'The worker did not start, or died; it is restarted once.',
  WARMING_UP: 'The packs are loading; a later request will be ranked.',
  PACK_UNAVAILABLE: 'A pack could not be fetched; check its address.',
  PACK_INVALID: 'A pack does not match its description; publish it again.',
  DEVICE_FAILED: 'A device failed; the next one serves.',
  ENCODER_FAILED: "The shop's own encoder failed; texts without vectors keep their places.",
  STORAGE_FAILED: 'IndexedDB refused; this visit is kept in memory only.',
  INVALID_DATA: 'The input data are not as documented.',
  PEER_MISSING: 'A package is not installed.',
  INTERNAL: 'A defect in Shelfwise; please report the cause.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error's shape while it crosses the worker boundary. */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly cause?: { readonly name: string; readonly message: string; readonly stack?: string };
}

/** The one error class: a code for programs, a message with the next step for people. */
export class RecommenderError extends Error {
  override readonly name = 'RecommenderError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail === undefined ? ERROR_CODES[code] : `${ERROR_CODES[code]} ${detail}`, options);
    this.code = code;
  }

  /** Any thrown value as a RecommenderError, itself where it is one. */
  static from(error: unknown, code: ErrorCode = 'INTERNAL'): RecommenderError {
    if (error instanceof RecommenderError) return error;
    return new RecommenderError(code, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Keeps the code and cause of an error on its way to another thread. */
export function serializeError(error: unknown): SerializedError {
  const { code, message, cause } = RecommenderError.from(error);
  if (!(cause instanceof Error)) return { code, message };
  return { code, message, cause: { name: cause.name, message: cause.message, ...(cause.stack === undefined ? {} : { stack: cause.stack }) } };
}

/** The error again, on the other side. */
export function deserializeError({ code, message, cause }: SerializedError): RecommenderError {
  const original = cause && Object.assign(new Error(cause.message), { name: cause.name, stack: cause.stack });
  const error = new RecommenderError(code, undefined, original && { cause: original });
  error.message = message;
  return error;
}
