import { RecommenderError } from '../errors.ts';
import type { SafeTensor, SafeTensors } from '../lib/safetensors.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import { frame, frameTensors, vector, type TableSizes } from './ranker-tables.ts';
import { parseNeighbours, type Neighbours } from './simple/neighbours.ts';
import type { PastSessions } from './simple/vmis-knn.ts';

/** The tables that a pack has only where its shop asked for them; null is a table that it lacks. */
export interface OptionalTables {
  /** EASE's largest weights. */
  readonly ease: Neighbours | null;
  /** W of the bilinear form over texts, [text, text]. */
  readonly bilinear: Float32Array | null;
  /** What VMIS-kNN searches. */
  readonly sessions: PastSessions | null;
}

export const NO_OPTIONAL_TABLES: OptionalTables = { ease: null, bilinear: null, sessions: null };

/** @param sessions the file of sessions, null in a pack that ships none. @throws RecommenderError `PACK_INVALID` when a table is not whole, or not of these sizes. */
export function parseOptionalTables(tensors: SafeTensors, sessions: SafeTensors | null, { items, text }: TableSizes): OptionalTables {
  return {
    ease: tensors.has('ease.offsets') ? parseEase(tensors, items) : null,
    bilinear: tensors.has('text.bilinear') ? floatTensor(tensors, 'text.bilinear', [text, text]) : null,
    sessions: sessions && parseSessions(sessions, items),
  };
}

/** Tensors of EASE, as `parseOptionalTables` reads them; its weights ship as int8 with the scale of their row: of a sum over many items, a hundredth of the largest weight is not seen. */
export function easeTensors({ offsets, items, weights }: Neighbours): [string, SafeTensor][] {
  const scales = new Float32Array(offsets.length - 1);
  const codes = new Int8Array(weights.length);
  for (let row = 0; row < scales.length; row++) {
    const [start, end] = [offsets[row]!, offsets[row + 1]!];
    const largest = weights.subarray(start, end).reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    scales[row] = largest / 127 || 1;
    for (let k = start; k < end; k++) codes[k] = Math.round(weights[k]! / scales[row]!);
  }
  return [...frameTensors('ease', { offsets, items }), ['ease.weights', { dtype: 'I8', shape: [codes.length], values: codes }], ['ease.scale', vector(scales)]];
}

/** Tensors of the sessions, as `parseOptionalTables` reads them: lengths fit a byte or two, offsets would take four. */
export function sessionTensors({ items, offsets }: PastSessions, itemCount: number): [string, SafeTensor][] {
  const lengths = Uint16Array.from({ length: offsets.length - 1 }, (_, session) => offsets[session + 1]! - offsets[session]!);
  return [
    ['sessions.items', itemCount <= UINT16_ITEMS ? { dtype: 'U16', shape: [items.length], values: Uint16Array.from(items) } : { dtype: 'I32', shape: [items.length], values: items }],
    ['sessions.lengths', lengths.every((length) => length <= 255) ? { dtype: 'U8', shape: [lengths.length], values: Uint8Array.from(lengths) } : { dtype: 'U16', shape: [lengths.length], values: lengths }],
  ];
}

const UINT16_ITEMS = 65_536;

function parseEase(tensors: SafeTensors, items: number): Neighbours {
  const framed = frame(tensors, 'ease');
  const codes = tensors.get('ease.weights');
  if (codes?.dtype !== 'I8') throw new RecommenderError('PACK_INVALID', 'Table ease has no weights.');
  const scales = floatTensor(tensors, 'ease.scale', [items]);
  const { offsets, items: neighbours } = parseNeighbours({ ...framed, weights: Float32Array.from(codes.values) }, items, { signed: true });
  const weights = new Float32Array(neighbours.length);
  for (let row = 0; row < items; row++) {
    for (let k = offsets[row]!; k < offsets[row + 1]!; k++) weights[k] = codes.values[k]! * scales[row]!;
  }
  return { offsets, items: neighbours, weights };
}

function parseSessions(tensors: SafeTensors, itemCount: number): PastSessions {
  const items = tensors.get('sessions.items');
  const lengths = tensors.get('sessions.lengths');
  if ((items?.dtype !== 'U16' && items?.dtype !== 'I32') || (lengths?.dtype !== 'U8' && lengths?.dtype !== 'U16')) throw new RecommenderError('PACK_INVALID', 'Its sessions are not items and lengths.');
  const offsets = new Int32Array(lengths.values.length + 1);
  lengths.values.forEach((length: number, session: number) => (offsets[session + 1] = offsets[session]! + length));
  if (offsets.at(-1) !== items.values.length || !items.values.every((item: number) => item >= 0 && item < itemCount)) {
    throw new RecommenderError('PACK_INVALID', `Its sessions are not of ${itemCount} items.`);
  }
  return { items: Int32Array.from(items.values), offsets };
}
