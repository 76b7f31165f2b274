import type { Sample } from '../../src/evaluate/bootstrap.ts';
import type { FeatureName } from '../../src/rank/feature-schema.ts';
import { targetGain } from '../target-gain.ts';
import type { Games } from './data.ts';
import { valuesOf, type GamesFeatures, type ReadList, type ScoreList } from './rankers.ts';

export const HEAD_LISTS = 16_000; // of 50,000 users: the head has a few thousand weights

export const TEXT = ['textAffinity', 'textMean', 'textLast', 'titleAffinity', 'historyLength', 'sessionLength'] as const satisfies readonly FeatureName[];
export const COUNTED = ['markov', 'rules', 'lastRules', 'knn'] as const satisfies readonly FeatureName[];

/** One feature as a ranker. */
export const single = (name: FeatureName): ScoreList => ({ features }) => Promise.resolve(valuesOf(features, name));

/** Every list of the test, after all of the user's items but the target. */
export async function readLists({ lists, sequences }: Games, source: GamesFeatures): Promise<ReadList[]> {
  const read: ReadList[] = [];
  for (const { user, candidates } of lists) read.push(await source.read(sequences[user]!.slice(0, -1), candidates));
  return read;
}

/** NDCG@10 of each list's target; equal scores share the mean of their places. */
export async function judgeLists({ lists, sequences }: Games, read: readonly ReadList[], score: ScoreList): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const [at, { user, candidates }] of lists.entries()) {
    samples.push({ customer: user, value: targetGain(await score(read[at]!), candidates.indexOf(sequences[user]!.at(-1)!)) });
  }
  return samples;
}
