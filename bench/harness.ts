import { cpus } from 'node:os';

/** One measured comparison: how ours stands beside a peer, per round. */
export interface BenchRow {
  readonly name: string;
  /** Median over the rounds (or the quantile that the name says), in `unit`. */
  readonly ours: number;
  /** The same of the peer; null where there is no peer. */
  readonly peer: number | null;
  readonly unit: string;
  /** Median of the per-round ratios ours / peer, with their 10th and 90th percentile; of ours alone where there is no peer. */
  readonly ratio: number | null;
  readonly p10: number;
  readonly p90: number;
  /** What the ratio (ours, without a peer) must reach; null where the row is reported only. */
  readonly goal: number | null;
  /** What it should reach. */
  readonly aim: number | null;
  /** `least`: goal and aim are lower bounds. */
  readonly bound: Bound;
  readonly ok: boolean | null;
}

export type Bound = 'most' | 'least';

/** What a row is judged by. */
export interface Goal {
  /** Must be reached. */
  readonly goal?: number;
  /** Should be reached. */
  readonly aim?: number;
  /** Default `most`: smaller is better. */
  readonly bound?: Bound;
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
  readonly machine: { readonly cpu: string; readonly cores: number; readonly system: string; readonly node: string; readonly date: string };
  readonly rows: readonly BenchRow[];
  readonly tables: readonly BenchTableCell[];
}

export type BenchResult = Pick<BenchReport, 'rows' | 'tables'>;

/** A bench: measures, says on standard output what it is doing, and returns what it measured. */
export type Bench = () => Promise<BenchResult>;

export interface Measured extends Goal {
  readonly name: string;
  readonly unit: string;
  /** One value a round. */
  readonly ours: readonly number[];
  /** One value a round, of the same rounds. */
  readonly peer?: readonly number[];
  /** Which quantile of the values stands for them and is judged; default the median. */
  readonly at?: number;
}

/** A row of values that were measured round by round; the ratio is taken within each round. */
export function summarise({ name, unit, ours, peer, at = 0.5, goal, aim, bound = 'most' }: Measured): BenchRow {
  const judged = peer ? ours.map((value, round) => value / peer[round]!) : ours;
  const value = quantile(judged, at);
  return {
    name,
    ours: quantile(ours, at),
    peer: peer ? quantile(peer, at) : null,
    unit,
    ratio: peer ? value : null,
    p10: quantile(judged, 0.1),
    p90: quantile(judged, 0.9),
    goal: goal ?? null,
    aim: aim ?? null,
    bound,
    ok: goal === undefined ? null : reaches(value, goal, bound),
  };
}

/** Whether a row's figure reaches a bound; NaN reaches none. */
export function reaches(value: number, limit: number, bound: Bound): boolean {
  return bound === 'most' ? value <= limit : value >= limit;
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
  return { cpu: all[0]?.model ?? 'unknown', cores: all.length, system: `${process.platform} ${process.arch}`, node: process.version, date: new Date().toISOString() };
}

/** What a row reached: its `aim`, the `must` below it, or neither (`missed`); empty for rows that are reported only. */
export function verdict({ ours, ratio, goal, aim, bound }: BenchRow): 'aim' | 'must' | 'missed' | '' {
  const value = ratio ?? ours;
  if (aim !== null && reaches(value, aim, bound)) return 'aim';
  if (goal !== null && reaches(value, goal, bound)) return 'must';
  return goal === null && aim === null ? '' : 'missed';
}

/** What people read of a row, one text a column. */
export function describeRow(row: BenchRow): string[] {
  const { name, ours, peer, unit, ratio, p10, p90, goal, aim, bound } = row;
  const limit = (value: number | null): string => (value === null ? '-' : `${bound === 'most' ? '≤' : '≥'} ${formatNumber(value)}`);
  return [
    name,
    `${formatNumber(ours)} ${unit}`.trim(),
    peer === null ? '-' : `${formatNumber(peer)} ${unit}`.trim(),
    ratio === null ? '-' : formatNumber(ratio),
    p10 === p90 ? '-' : `${formatNumber(p10)} - ${formatNumber(p90)}`,
    limit(goal),
    limit(aim),
    verdict(row),
  ];
}

export const ROW_HEADER = ['', 'ours', 'peer', 'ratio', 'p10 - p90', 'must', 'aim', 'reached'] as const;

/** Rows as an aligned table for people. */
export function formatRows(rows: readonly BenchRow[]): string {
  return formatTable([ROW_HEADER, ...rows.map(describeRow)]);
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

/** Three digits, as many as repeat from run to run; more where the last ones carry the news, as in 0.9996. */
export function formatNumber(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  if (Math.abs(value) > 0.99 && Math.abs(value) < 1) return value.toFixed(5);
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
