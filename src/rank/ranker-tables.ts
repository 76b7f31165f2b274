import { PRICE_QUANTILES } from '../behaviour/sequence.ts';
import { RecommenderError } from '../errors.ts';
import type { SafeTensor, SafeTensors } from '../lib/safetensors.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import type { RankerTables } from './ranker.ts';
import { parseNeighbours, type Neighbours } from './simple/neighbours.ts';
import type { RepeatHabits } from './simple/repeat-habits.ts';

/** What the tables of a pack are about. */
export interface TableSizes {
  readonly items: number;
  /** Dimensions of a text. */
  readonly text: number;
}

/**
 * The counted tables that every pack has; `repeats` is null in an older one.
 * @throws RecommenderError `PACK_INVALID` when a table is missing, or is not of these sizes.
 */
export function parseTables(tensors: SafeTensors, { items, text }: TableSizes): RankerTables {
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
  };
}

/** Tensors of the tables, as `parseTables` reads them. */
export function tableTensors(tables: RankerTables): [string, SafeTensor][] {
  const { transitions, rules, similarities, popularity, priceQuantiles, textMean, neutralTexts, repeats } = tables;
  return [
    ...neighbourTensors('transitions', transitions),
    ...neighbourTensors('rules', rules),
    ...neighbourTensors('similarities', similarities),
    ['popularity', vector(popularity)],
    ['price.quantiles', vector(priceQuantiles)],
    ['text.mean', vector(textMean)],
    ...(neutralTexts ? [['text.neutral', vector(Float32Array.of(neutralTexts))] as [string, SafeTensor]] : []),
    ...(repeats ? repeatTensors(repeats) : []),
  ];
}

export function vector(values: Float32Array): SafeTensor {
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

/** Where the rows of a table lie, and whose they are. */
export function frameTensors(name: string, { offsets, items }: Pick<Neighbours, 'offsets' | 'items'>): [string, SafeTensor][] {
  return [
    [`${name}.offsets`, { dtype: 'I32', shape: [offsets.length], values: offsets }],
    [`${name}.items`, items instanceof Uint16Array ? { dtype: 'U16', shape: [items.length], values: items } : { dtype: 'I32', shape: [items.length], values: items }],
  ];
}

/** Reads `frameTensors`. */
export function frame(tensors: SafeTensors, name: string): Pick<Neighbours, 'offsets' | 'items'> {
  const offsets = tensors.get(`${name}.offsets`);
  const items = tensors.get(`${name}.items`);
  if (offsets?.dtype !== 'I32' || (items?.dtype !== 'U16' && items?.dtype !== 'I32')) throw new RecommenderError('PACK_INVALID', `Table ${name} is missing.`);
  return { offsets: offsets.values, items: items.values };
}
