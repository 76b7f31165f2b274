import type { Engine } from './protocol.ts';

export type Method = keyof Engine;

/** What crosses to the worker for a method: its parameters, but an AbortSignal travels as an `abort` message. */
export type CallArguments<M extends Method> =
  Required<Parameters<Engine[M]>> extends [...infer Head, AbortSignal] ? Head : Parameters<Engine[M]>;

export type CallResult<M extends Method> = Awaited<ReturnType<Engine[M]>>;

/** What the client needs of a Worker. */
export type WorkerLike = Pick<Worker, 'postMessage' | 'terminate' | 'addEventListener'>;
