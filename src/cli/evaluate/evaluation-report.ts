import { percentileInterval } from '../../evaluate/bootstrap-columns.ts';
import { COMPARED_FIGURES, FIGURES, pairedDifference, QUERY_FIGURES, type Figure, type QueryFigure, type RankerSummary } from '../../evaluate/figures.ts';
import type { Answers } from '../../evaluate/evaluation.ts';
import type { QueryGroups } from '../../evaluate/groups.ts';
import { INTEREST_ALONE, OURS } from '../../evaluate/pack-rankers.ts';
import type { ProtocolName } from '../../evaluate/protocol.ts';

/** A ranker's figures; `ci` has the 95 % bootstrap interval over users of each but coverage and Gini. Diversity is NaN (null in JSON) without texts. */
export type ReportedFigures = Readonly<Record<Figure, number>> & { readonly ci: Readonly<Partial<Record<Figure, readonly [low: number, high: number]>>> };

/** Ours minus the baseline that is best by this figure. */
export interface ReportedDifference {
  readonly baseline: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface ReportedGroup {
  readonly label: string;
  readonly users: number;
  readonly targets: number;
  readonly rankers: Readonly<Record<string, ReportedFigures>>;
}

/** What `shelfwise evaluate` writes with `--json`. */
export interface EvaluationReport {
  readonly version: 1;
  readonly protocol: ProtocolName;
  readonly pack: { readonly name: string; readonly revision: string };
  /** Users who were asked about, and items that were ranked. */
  readonly users: number;
  readonly items: number;
  readonly targets: number;
  /** Interactions that the baselines were counted on. */
  readonly countedOn: number;
  readonly candidates: boolean;
  /** How many of each ranker's best items the head re-ordered; null where it scored all. */
  readonly unionSize: number | null;
  readonly seed: number;
  readonly resamples: number;
  readonly warnings: readonly string[];
  readonly rankers: Readonly<Record<string, ReportedFigures>>;
  readonly differences: Readonly<Partial<Record<QueryFigure, ReportedDifference>>>;
  /** The same for the interest model alone, where the pack has one. */
  readonly interestDifferences: Readonly<Partial<Record<QueryFigure, ReportedDifference>>> | null;
  readonly groups: { readonly by: string; readonly groups: readonly ReportedGroup[]; readonly largestGaps: Readonly<Partial<Record<Figure, ReportedGap>>> } | null;
  readonly speed: { readonly seconds: number; readonly targetsPerSecond: number; readonly itemsPerSecond: number };
}

/** Our largest difference between two groups that are large enough to tell. */
export interface ReportedGap {
  readonly high: string;
  readonly low: string;
  readonly value: number;
}

/** Groups of fewer users are shown, but no gap is told from them. */
export const FEWEST_USERS_FOR_A_GAP = 20;

export interface SummaryOptions {
  readonly resamples: number;
  readonly seed: number;
}

/** The figures of all rankers over the targets at these places. */
export function summariseRankers({ rankers, targets }: Answers, places: Int32Array, user: Int32Array, options: SummaryOptions): RankerSummary[] {
  const customers = Int32Array.from(places, (place) => user[targets[place]!]!);
  return rankers.map((ranker) => ranker.summarise(places, customers, options));
}

export function reportFigures(summaries: readonly RankerSummary[]): Record<string, ReportedFigures> {
  return Object.fromEntries(
    summaries.map(({ name, values, replicates }) => {
      const figures = Object.fromEntries(FIGURES.map((figure) => [figure, values.get(figure)!])) as Record<Figure, number>;
      const ci = Object.fromEntries([...replicates].map(([figure, drawn]) => [figure, Object.values(percentileInterval(drawn))]));
      return [name, { ...figures, ci }];
    }),
  );
}

/** One ranker minus the best baseline, figure by figure, in pairs. */
export function reportDifferences(summaries: readonly RankerSummary[], name = OURS): Record<string, ReportedDifference> {
  const ours = summaries.find((one) => one.name === name)!;
  const baselines = summaries.filter((one) => one.name !== OURS && one.name !== INTEREST_ALONE);
  return Object.fromEntries(
    COMPARED_FIGURES.map((figure) => {
      const best = baselines.reduce((one, other) => (other.values.get(figure)! > one.values.get(figure)! ? other : one));
      return [figure, { baseline: best.name, ...pairedDifference(ours, best, figure) }];
    }),
  );
}

export function reportGroups({ by, labels, of }: QueryGroups, answers: Answers, user: Int32Array, options: SummaryOptions): NonNullable<EvaluationReport['groups']> {
  const groups = labels.flatMap((label, group): ReportedGroup[] => {
    const places = Int32Array.from(of.keys()).filter((place) => of[place] === group);
    if (places.length === 0) return [];
    const users = new Set(Array.from(places, (place) => user[answers.targets[place]!]!)).size;
    return [{ label, users, targets: places.length, rankers: reportFigures(summariseRankers(answers, places, user, options)) }];
  });
  const large = groups.filter(({ users }) => users >= FEWEST_USERS_FOR_A_GAP);
  const gaps = QUERY_FIGURES.flatMap((figure): [Figure, ReportedGap][] => {
    if (large.length < 2) return [];
    const sorted = large.toSorted((a, b) => b.rankers[OURS]![figure] - a.rankers[OURS]![figure]);
    const [high, low] = [sorted[0]!, sorted.at(-1)!];
    return [[figure, { high: high.label, low: low.label, value: high.rankers[OURS]![figure] - low.rankers[OURS]![figure] }]];
  });
  return { by, groups, largestGaps: Object.fromEntries(gaps) };
}
