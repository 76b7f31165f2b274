import MiniSearch from 'minisearch';
import type { Product } from './shop-data.ts';

export interface TextSearch {
  /** [products] relevance of titles and departments for what was typed; 0 where nothing matches. */
  search(query: string): Float64Array;
  /** [products] likeness to a product's own title. */
  alike(product: number): Float64Array;
}

/** Below a page of products with every word, those with some of the words follow. */
const ENOUGH_RESULTS = 24;

/** MiniSearch over titles and departments: misspellings and beginnings of words match, whole words count more. */
export function createTextSearch(products: readonly Product[]): TextSearch {
  const index = new MiniSearch<{ id: number; title: string; category: string }>({
    fields: ['title', 'category'],
    searchOptions: {
      boost: { title: 3, category: 1 },
      prefix: (term) => term.length > 2,
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
      weights: { fuzzy: 0.35, prefix: 0.6 },
    },
    processTerm: (term) => singular(term.toLowerCase()) || null,
  });
  index.addAll(products.map(({ title, category }, id) => ({ id, title, category })));

  const scoresOf = (query: string, options?: Parameters<typeof index.search>[1]): Float64Array => {
    const scores = new Float64Array(products.length);
    for (const { id, score } of index.search(query, options)) scores[id as number] = score;
    return scores;
  };
  return {
    search(query) {
      const all = scoresOf(query, { combineWith: 'AND' });
      if (all.filter((score) => score > 0).length >= ENOUGH_RESULTS) return all;
      const any = scoresOf(query);
      const most = any.reduce((a, b) => Math.max(a, b), 0);
      return any.map((score, product) => (all[product]! > 0 ? most + all[product]! : score));
    },
    alike(product) {
      const scores = scoresOf(products[product]!.title, { fields: ['title'], prefix: false, fuzzy: false });
      scores[product] = 0;
      return scores;
    },
  };
}

/** "mugs" finds "mug", "candies" finds "candy"; "glass" stays. */
function singular(term: string): string {
  if (/(?:ss|us|is)$/.test(term) || term.length < 4) return term;
  return term.replace(/ies$/, 'y').replace(/(?<=[sxz]|[cs]h)es$/, '').replace(/s$/, '');
}
