/**
 * What the joint head reads of a candidate, by name; a pack names the features that its head was trained on.
 * Change the meaning of a name and the version goes up: a pack of another version is refused.
 */
export const FEATURE_SCHEMA = { name: 'shelfwise-head', version: 2 } as const;

export const FEATURE_NAMES = [
  'interest', // log p(next item = i) by the interest LSTM, over the pack's catalogue
  'markov', // log(1 + score) of each counted ranker; missing where the pack does not know the item
  'rules',
  'knn',
  'personal',
  'popularity', // log(1 + lines) over the training period
  'popularity7d', // log(1 + units sold in the last week of the demand series)
  'boughtBefore', // log(1 + purchases by this shopper)
  'sinceLast', // log hours since this shopper last touched the item; missing where never
  'textAffinity', // soft-max pooled cosine to the texts of the last 10 behaviours, centred on the catalogue's mean
  'textMean', // cosine to u_u, the weighted mean of those texts, centred likewise
  'textLast', // cosine to the newest text, centred likewise
  'demand', // log(1 + forecast of next week's units)
  'demandTrend', // log of forecast over the last four weeks' mean
  'price', // position in the catalogue's prices, 0 to 1
  'priceGap', // distance to the mean price position of the shopper's behaviours
  'serverRank', // 10 / (10 + server position); missing where the server gave no scores, so that its order says nothing
  'historyLength', // log(1 + behaviours), the same for all candidates
  'sessionLength',
] as const;

export type FeatureName = (typeof FEATURE_NAMES)[number];

/** Marks a value that is not there; the head sees a mask beside every value. */
export const MISSING = NaN;
