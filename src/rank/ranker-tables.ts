import { PRICE_QUANTILES } from '../behaviour/sequence.ts';
import { RecommenderError } from '../errors.ts';
import type { SafeTensor, SafeTensors } from '../lib/safetensors.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import type { RankerTables } from './ranker.ts';
import { parseNeighbours, type Neighbours } from './simple/neighbours.ts';
import type { RepeatHabits } from './simple/repeat-habits.ts';
import type { PastSessions } from './simple/vmis-knn.ts';

/**
 * The counted tables of a pack; what the files lack of the optional ones is null.
 * @param sessions the file of sessions, null in a pack that ships none
 * @throws RecommenderError `PACK_INVALID` when a table is missing, or is not one of `items` items and `text` dimensions.
 */
export function parseTables(tensors: SafeTensors, sessions: SafeTensors | null, { items, text }: { readonly items: number; readonly text: number }): RankerTables {
  const table = (name: string): Neighbours => {
    const weights = tensors.get(`${name}.weights`);
    return parseNeighbours({ ...frame(tensors, name), weights: floatTensor(tensors, `${name}.weights`, weights?.shape ?? []) }, items);
  };
  return {
    transitions: table('transitions'),
    rules: table('rules'),
    similarities: table('similarities'),
    popularity: floatTensor(tensors, 'popularity', [items]),
    priceQuantiles: floatTensor(tensors, 'price.quantiles', [PRICE_QUANTILES]),
    textMean: floatTensor(tensors, 'text.mean', [text]),
    neutralTexts: tensors.has('text.neutral') ? floatTensor(tensors, 'text.neutral', [1])[0]! : null,
    repeats: tensors.has('repeats.days') ? { days: floatTensor(tensors, 'repeats.days', [items]), share: floatTensor(tensors, 'repeats.share', [items]) } : null,
    ease: tensors.has('ease.offsets') ? parseEase(tensors, items) : null,
    bilinear: tensors.has('text.bilinear') ? floatTensor(tensors, 'text.bilinear', [text, text]) : null,
    sessions: sessions && parseSessions(sessions, items),
  };
}

/** Tensors of the tables, as `parseTables` reads them. */
export function tableTensors(tables: RankerTables): [string, SafeTensor][] {
  const { transitions, rules, similarities, popularity, priceQuantiles, textMean, neutralTexts, repeats, ease } = tables;
  return [
    ...neighbourTensors('transitions', transitions),
    ...neighbourTensors('rules', rules),
    ...neighbourTensors('similarities', similarities),
    ['popularity', vector(popularity)],
    ['price.quantiles', vector(priceQuantiles)],
    ['text.mean', vector(textMean)],
    ...(neutralTexts ? [['text.neutral', vector(Float32Array.of(neutralTexts))] as [string, SafeTensor]] : []),
    ...(repeats ? repeatTensors(repeats) : []),
    ...(ease ? easeTensors(ease) : []),
  ];
}

/** Tensors of the sessions, as `parseTables` reads them: lengths fit a byte or two, offsets would take four. */
export function sessionTensors({ items, offsets }: PastSessions, itemCount: number): [string, SafeTensor][] {
  const lengths = Uint16Array.from({ length: offsets.length - 1 }, (_, session) => offsets[session + 1]! - offsets[session]!);
  return [
    ['sessions.items', itemCount <= UINT16_ITEMS ? { dtype: 'U16', shape: [items.length], values: Uint16Array.from(items) } : { dtype: 'I32', shape: [items.length], values: items }],
    ['sessions.lengths', lengths.every((length) => length <= 255) ? { dtype: 'U8', shape: [lengths.length], values: Uint8Array.from(lengths) } : { dtype: 'U16', shape: [lengths.length], values: lengths }],
  ];
}

const UINT16_ITEMS = 65_536;

function vector(values: Float32Array): SafeTensor {
  return { dtype: 'F32', shape: [values.length], values };
}

function repeatTensors({ days, share }: RepeatHabits): [string, SafeTensor][] {
  return [
    ['repeats.days', vector(days)],
    ['repeats.share', vector(share)],
  ];
}

function neighbourTensors(name: string, { offsets, items, weights }: Neighbours): [string, SafeTensor][] {
  return [...frameTensors(name, { offsets, items }), [`${name}.weights`, vector(weights)]];
}

function frameTensors(name: string, { offsets, items }: Pick<Neighbours, 'offsets' | 'items'>): [string, SafeTensor][] {
  return [
    [`${name}.offsets`, { dtype: 'I32', shape: [offsets.length], values: offsets }],
    [`${name}.items`, items instanceof Uint16Array ? { dtype: 'U16', shape: [items.length], values: items } : { dtype: 'I32', shape: [items.length], values: items }],
  ];
}

/** EASE's weights ship as int8 with the scale of their row: of a sum over many items, a hundredth of the largest weight is not seen. */
function easeTensors({ offsets, items, weights }: Neighbours): [string, SafeTensor][] {
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

function frame(tensors: SafeTensors, name: string): Pick<Neighbours, 'offsets' | 'items'> {
  const offsets = tensors.get(`${name}.offsets`);
  const items = tensors.get(`${name}.items`);
  if (offsets?.dtype !== 'I32' || (items?.dtype !== 'U16' && items?.dtype !== 'I32')) throw new RecommenderError('PACK_INVALID', `Table ${name} is missing.`);
  return { offsets: offsets.values, items: items.values };
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
