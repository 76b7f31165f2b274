import { RecommenderError } from '../errors.ts';
import type { AdapterOptions } from '../learn/adapters.ts';

/**
 * `full`, `head-only` or `lora:RANK`.
 * @throws RecommenderError `INVALID_OPTIONS` for anything else, and for less than everything without a pack to go on from.
 */
export function adapterOf(adapter: string | undefined, init: string | undefined): AdapterOptions {
  if (adapter === undefined || adapter === 'full') return { kind: 'full' };
  if (init === undefined) throw new RecommenderError('INVALID_OPTIONS', `--adapter ${adapter} belongs to --init PACK: it keeps most of a model as it is, so there must be one.`);
  if (adapter === 'head-only') return { kind: 'head-only' };
  const rank = Number(/^lora:(\d+)$/.exec(adapter)?.[1] ?? 0);
  if (rank < 1) throw new RecommenderError('INVALID_OPTIONS', `--adapter ${adapter}: there are full, head-only and lora:RANK, for instance lora:8.`);
  return { kind: 'lora', rank };
}
