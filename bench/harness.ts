import { cpus } from 'node:os';

/** One measured comparison: how ours stands beside a peer, per round. */
export interface BenchRow {
  readonly name: string;
  /** Median over the rounds, in `unit`. */
  readonly ours: number;
  /** Median over the rounds, in `unit`; null where there is no peer. */
  readonly peer: number | null;
  readonly unit: string;
  /** Median of the per-round ratios ours / peer, with their 10th and 90th percentile; of ours alone where there is no peer. */
  readonly ratio: number | null;
  readonly p10: number;
  readonly p90: number;
  /** The largest allowed ratio (of ours, without a peer); null where the row is reported only. */
  readonly goal: number | null;
  readonly ok: boolean | null;
}

/** One figure of a quality table, with its 95 % interval. */
export interface BenchTableCell {
  readonly task: string;
  readonly ranker: string;
  readonly metric: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

export interface BenchReport {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string; readonly date: string };
  readonly rows: readonly BenchRow[];
  readonly tables: readonly BenchTableCell[];
}

export type BenchResult = Pick<BenchReport, 'rows' | 'tables'>;

/** A bench: measures, says on standard output what it is doing, and returns what it measured. */
export type Bench = () => Promise<BenchResult>;

export interface Comparison {
  readonly name: string;
  /** One measurement of ours, in `unit`. */
  readonly ours: () => Promise<number>;
  /** One measurement of the peer under the same conditions. */
  readonly peer?: () => Promise<number>;
  readonly unit?: string;
  readonly rounds?: number;
  readonly goal?: number;
}

/**
 * Measures ours and the peer in turn, the first one changing every round, so that a machine that slows down slows both;
 * the ratio is taken within a round and summarised by its median.
 */
export async function compare({ name, ours, peer, unit = 'ms', rounds = 15, goal }: Comparison): Promise<BenchRow> {
  const own: number[] = [];
  const other: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) own.push(await ours());
    if (peer) other.push(await peer());
    if (round % 2 === 1) own.push(await ours());
  }
  return summarise({ name, unit, ours: own, ...(peer ? { peer: other } : {}), ...(goal === undefined ? {} : { goal }) });
}

export interface Measured {
  readonly name: string;
  readonly unit: string;
  /** One value a round. */
  readonly ours: readonly number[];
  /** One value a round, of the same rounds. */
  readonly peer?: readonly number[];
  readonly goal?: number;
}

/** A row of values that were measured round by round. */
export function summarise({ name, unit, ours, peer, goal }: Measured): BenchRow {
  const judged = peer ? ours.map((value, round) => value / peer[round]!) : ours;
  const median = quantile(judged, 0.5);
  return {
    name,
    ours: quantile(ours, 0.5),
    peer: peer ? quantile(peer, 0.5) : null,
    unit,
    ratio: peer ? median : null,
    p10: quantile(judged, 0.1),
    p90: quantile(judged, 0.9),
    goal: goal ?? null,
    ok: goal === undefined ? null : median <= goal,
  };
}

/** Milliseconds that `work` takes. */
export async function timeMs(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Quantile with linear interpolation between order statistics (Hyndman and Fan 1996, definition 7); NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.ceil(place)];
  return low === undefined || high === undefined ? NaN : low + (high - low) * (place - Math.floor(place));
}

export function describeMachine(): BenchReport['machine'] {
  const all = cpus();
  return { cpu: all[0]?.model ?? 'unknown', cores: all.length, node: process.version, date: new Date().toISOString() };
}

/** Rows as an aligned table for people. */
export function formatRows(rows: readonly BenchRow[]): string {
  const cells = rows.map(({ name, ours, peer, unit, ratio, p10, p90, goal, ok }) => [
    name,
    `${formatNumber(ours)} ${unit}`,
    peer === null ? '-' : `${formatNumber(peer)} ${unit}`,
    ratio === null ? '-' : formatNumber(ratio),
    `${formatNumber(p10)} - ${formatNumber(p90)}`,
    goal === null ? '-' : `<= ${formatNumber(goal)}`,
    ok === null ? '' : ok ? 'ok' : 'MISSED',
  ]);
  return formatTable([['', 'ours', 'peer', 'ratio', 'p10 - p90', 'goal', ''], ...cells]);
}

/** Quality figures: one line per task and ranker, one column per metric. */
export function formatCells(cells: readonly BenchTableCell[]): string {
  const metrics = [...new Set(cells.map(({ metric }) => metric))];
  const lines = [...new Set(cells.map(({ task, ranker }) => `${task}\t${ranker}`))].map((line) => {
    const [task = '', ranker = ''] = line.split('\t');
    const own = cells.filter((cell) => cell.task === task && cell.ranker === ranker);
    return [task, ranker, ...metrics.map((metric) => formatCell(own.find((cell) => cell.metric === metric)))];
  });
  return formatTable([['task', 'ranker', ...metrics], ...lines]);
}

const formatCell = (cell: BenchTableCell | undefined): string =>
  cell ? `${cell.value.toFixed(4)} [${cell.low.toFixed(4)}, ${cell.high.toFixed(4)}]` : '-';

function formatTable(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n');
}

const formatNumber = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));
