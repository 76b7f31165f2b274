/**
 * What the joint head reads of a candidate, by name; a pack names the features that its head was trained on.
 * New names go to the end, so that columns keep their places. With any change the version goes up, and an older SDK refuses
 * the pack; change the meaning of a name, and OLDEST_FEATURE_VERSION goes up with it.
 */
export const FEATURE_SCHEMA = { name: 'shelfwise-head', version: 4 } as const;

/** Packs from this version on are read: what came since were additions. */
export const OLDEST_FEATURE_VERSION = 2;

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
  'textLast', // cosine to the newest text, centred likewise; a page's texts have a share in these three, in titleAffinity and in bilinear
  'demand', // log(1 + forecast of next week's units)
  'demandTrend', // log of forecast over the last four weeks' mean
  'price', // position in the catalogue's prices, 0 to 1
  'priceGap', // distance to the mean price position of the shopper's behaviours
  'serverRank', // 10 / (10 + server position); missing where the server gave no scores, so that its order says nothing
  'historyLength', // log(1 + behaviours), the same for all candidates
  'sessionLength',
  // Since version 3:
  'popularity28d', // log(1 + mean weekly units of the last four weeks)
  'lastRules', // log(1 + score) of the rules of the newest item alone
  'ease', // log(1 + 10 · score) of EASE; missing in a pack without its table, as are the next two
  'sessions', // log(1 + score) of VMIS-kNN over the sessions in the pack
  'bilinear', // uᵀ W v of texts, for unseen items too
  'sinceBought', // log hours since this shopper last bought the item; missing where never
  'basketShare', // share of this shopper's baskets with the item; missing before the first
  'basketsSince', // log(1 + this shopper's baskets since the one with the item); missing where never
  'personalRank', // 10 / (10 + rank) in personal frequency; missing without any
  'ownInterval', // log of the time since the last purchase over this shopper's mean time between purchases of the item; missing before the second
  'itemInterval', // the same over the item's usual time between two purchases by one shopper
  'itemRepeats', // share of the item's buyers who bought it again
  'baskets', // log(1 + baskets of this shopper), the same for all candidates
  // Since version 4:
  'titleAffinity', // as textAffinity, with half the cosine of the titles' words added to each; missing where a pack does not read it
] as const;

export type FeatureName = (typeof FEATURE_NAMES)[number];

/** Marks a value that is not there; the head sees a mask beside every value. */
export const MISSING = NaN;
