import type { TrainOptions } from '../../src/cli/train.ts';
import type { ProtocolName } from '../../src/evaluate/protocol.ts';
import type { BenchResult } from '../harness.ts';
import type { Metric } from '../../src/evaluate/metrics.ts';

/** A figure from elsewhere, in the order of the data set's metrics. */
export interface Anchor {
  readonly ranker: string;
  /** The paper or repository whose table has it; `counted on these files` for our own counts. */
  readonly source: string;
  readonly values: readonly [number, number];
}

/** What one of our rows must and should reach. */
export interface Bar {
  readonly ranker: 'model alone' | 'full ranker';
  /** In the order of the data set's metrics; null where the bar names none. */
  readonly must: readonly [number | null, number | null];
  readonly aim?: readonly [number | null, number | null];
}

/** A public data set, how it is trained on and what it is held against. */
export interface TableData {
  /** The folder in the shared data. */
  readonly name: string;
  readonly protocol: ProtocolName;
  readonly metrics: readonly [Metric, Metric];
  /** Options of `shelfwise train` beside files and protocol. */
  readonly training: Pick<TrainOptions, 'preset' | 'loss' | 'epochs' | 'lanes' | 'patience' | 'without' | 'encoder' | 'learningRate' | 'negatives' | 'hidden' | 'embedding' | 'steps' | 'shipSessions' | 'fittedTables'>;
  /** Users (sessions) who are asked, drawn with the seed; null asks all. */
  readonly users: number | null;
  readonly anchors: readonly Anchor[];
  readonly bars: readonly Bar[];
}

/** A data set with a protocol of its own, for which `evaluate` has no name. */
export interface OwnTables {
  readonly name: string;
  judge(): Promise<BenchResult & { readonly sections: readonly string[] }>;
}
