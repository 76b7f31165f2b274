import type { SafeTensors } from '../lib/safetensors.ts';
import { parseOptionalTables, type OptionalTables } from './optional-tables.ts';
import type { TableSizes } from './ranker-tables.ts';
import type { ShopperView } from './shopper-view.ts';
import { projectText } from './simple/bilinear-text.ts';
import { createEase } from './simple/ease.ts';
import type { SimpleRanker } from './simple/simple-ranker.ts';
import { createVmisKnn, indexSessions } from './simple/vmis-knn.ts';

/** The rankers of `OptionalTables`; null is one whose table the pack lacks. */
export interface OptionalRankers {
  readonly ease: SimpleRanker | null;
  readonly sessions: SimpleRanker | null;
  /** uᵀ W [text], u being the weighted mean of the recent texts less the catalogue's, at the length that W was fitted to. */
  readonly bilinearQuery: ((view: ShopperView) => Float32Array) | null;
}

/** @param items size of the catalogue. @param textMean its mean text vector, [text]. */
export function createOptionalRankers({ ease, bilinear, sessions }: OptionalTables, { items, textMean }: { readonly items: number; readonly textMean: Float32Array }): OptionalRankers {
  return {
    ease: ease && createEase(ease),
    sessions: sessions && createVmisKnn(indexSessions(sessions, items)),
    bilinearQuery: bilinear && ((view) => projectText(bilinear, meanText(view, textMean))),
  };
}

/** What `loadOptionalRankers` fetches this file for. @throws RecommenderError `PACK_INVALID` */
export function parseOptionalRankers(tensors: SafeTensors, sessions: SafeTensors | null, sizes: TableSizes, textMean: Float32Array): OptionalRankers {
  return createOptionalRankers(parseOptionalTables(tensors, sessions, sizes), { items: sizes.items, textMean });
}

function meanText({ texts, textWeights }: ShopperView, textMean: Float32Array): Float32Array {
  const u = textMean.map((value) => -value);
  const total = textWeights.reduce((sum, weight) => sum + weight);
  textWeights.forEach((weight, row) => {
    for (let k = 0; k < u.length; k++) u[k]! += (weight / total) * texts[row * u.length + k]!;
  });
  return u;
}
