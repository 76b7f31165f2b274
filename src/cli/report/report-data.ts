import type { ContinuedLoss } from '../../learn/continued-interest.ts';
import type { Protocol } from '../../learn/protocol.ts';

/** What `shelfwise train` writes as report.json and draws as report.html. */
export interface TrainingReport {
  readonly version: 1;
  readonly pack: { readonly name: string; readonly revision: string };
  readonly data: {
    readonly protocol: Protocol;
    readonly interactions: number;
    /** Of the interactions, those that measured before they were learnt. */
    readonly heldBack: number;
    readonly shoppers: number;
    readonly items: number;
    /** ISO times: validation is from `validationFrom` on, null where the protocol holds back no days; nothing from `until` on was read, null where the log has no times. */
    readonly validationFrom: string | null;
    readonly until: string | null;
  };
  readonly seed: number;
  /** Whether the training was stopped by its user, who kept the best epoch so far. */
  readonly interrupted: boolean;
  /** Where training went on from a pack (its revision): mean losses of p(next item) on days before its end and on the validation days, before and after. */
  readonly continued?: { readonly pack: string; readonly adapter: string; readonly trained: number | null; readonly loss: ContinuedLoss };
  readonly curves: readonly TrainingCurve[];
  /** Null where none is asked: no interest model, another protocol than `temporal`, or nobody came back. */
  readonly nextPurchase: NextPurchaseErrors | null;
  /** How much of the log is worth learning from; empty where that was not asked. */
  readonly windows: readonly WindowFigure[];
  /** Null where nothing was held out to measure on. */
  readonly evaluation: Evaluation | null;
}

/** Mean absolute errors in days, asked after each order for which the next one lies in the validation part. */
export interface NextPurchaseErrors {
  readonly model: number;
  /** Of the median gap of all shoppers, for everybody. */
  readonly medianGap: number;
  /** Of each shopper's own median gap. */
  readonly ownMedianGap: number;
}

/** A short training of the interest model on the days before validation. */
export interface WindowFigure {
  /** null is the whole log. */
  readonly days: number | null;
  readonly lines: number;
  /** NDCG@10 of the validation part, the same for all windows; null where the window has no line. */
  readonly ndcg: number | null;
}

/** One model's training, epoch after epoch. */
export interface TrainingCurve {
  readonly model: string;
  readonly lossName: string;
  /** Null where epochs are not measured but by their loss. */
  readonly metricName: string | null;
  readonly epochs: readonly CurvePoint[];
}

export interface CurvePoint {
  /** From 1, counted on through a refit. */
  readonly epoch: number;
  /** A refit reads the validation period too, so that nothing is left to measure it on. */
  readonly phase: 'train' | 'refit';
  readonly loss: number;
  readonly metric: number | null;
}

/** A mean with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Evaluation {
  /** What was asked, of whom, among which items: one or two sentences. */
  readonly protocol: string;
  readonly queries: number;
  readonly shoppers: number;
  /** The ranker that ships, by its name in `rankers`. */
  readonly ours: string;
  /** The metric that rankers and groups are compared by. */
  readonly metric: string;
  readonly rankers: readonly RankerFigures[];
  readonly groupings: readonly Grouping[];
  readonly calibration: Calibration | null;
}

export interface RankerFigures {
  readonly name: string;
  /** Every ranker has the same metrics. */
  readonly metrics: Readonly<Record<string, Estimate>>;
  /** Share of the catalogue's items that were among some first ten, 0 to 1. */
  readonly coverage: number;
}

/** The compared metric for each kind of query. */
export interface Grouping {
  /** What queries are grouped by, for instance "Events before the query". */
  readonly by: string;
  /** In their natural order. */
  readonly groups: readonly { readonly label: string; readonly queries: number; readonly rankers: Readonly<Record<string, Estimate>> }[];
}

/** How often what was given a probability came true (reliability diagram, Niculescu-Mizil and Caruana 2005). */
export interface Calibration {
  readonly ranker: string;
  readonly bins: readonly { readonly predicted: number; readonly observed: Estimate; readonly count: number }[];
  /** Mean distance of predicted and observed, weighted by count. */
  readonly error: number;
}
