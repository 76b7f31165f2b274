import { readFile, writeFile } from 'node:fs/promises';
import type { EvaluationReport } from '../../src/cli/evaluate/evaluation-report.ts';
import type { Metric } from '../../src/evaluate/metrics.ts';
import { INTEREST_ALONE, OURS } from '../../src/evaluate/pack-rankers.ts';
import type { BenchTableCell } from '../harness.ts';
import { formatMarkdownTable } from '../readme.ts';
import type { TableData } from './table-data.ts';

/** How our rows are named in a table. */
export const OUR_ROWS: Readonly<Record<string, string>> = { [INTEREST_ALONE]: 'ours: interest model alone', [OURS]: 'ours: full ranker' };

const QUESTION = {
  'leave-one-out': 'Each user’s last item among all that the user has not had.',
  session: 'Each item of a test session after its first, among all items.',
  temporal: 'Each further item of a session of the last days, among all that the session has not.',
} as const;

/** One data set's section: anchors, simple rankers of the same run, and ours, then the paired differences. */
export function formatTable({ name, metrics, protocol, anchors, users }: TableData, report: EvaluationReport, trained: string): string {
  const figures = (ranker: string): string[] => metrics.map((metric) => estimate(report, ranker, metric));
  const simple = Object.keys(report.rankers).filter((ranker) => !(ranker in OUR_ROWS));
  const rows = [
    ...anchors.map(({ ranker, source, values }) => [`${ranker} (${source})`, ...values.map((value) => value.toFixed(4))]),
    ...simple.map((ranker) => [ranker, ...figures(ranker)]),
    ...Object.entries(OUR_ROWS).flatMap(([ranker, row]) => (ranker in report.rankers ? [[row, ...figures(ranker)]] : [])),
  ];
  const compared = [['ours: full ranker', report.differences] as const, ...(report.interestDifferences ? [['ours: interest model alone', report.interestDifferences] as const] : [])];
  const paired = compared.flatMap(([row, differences]) =>
    metrics.map((metric) => {
      const { baseline, value, low, high } = differences[metric]!;
      return `${row} less ${baseline}, ${metric}: ${signed(value)} [${signed(low)}, ${signed(high)}]`;
    }),
  );
  const asked = `${report.targets} targets of ${users === null ? 'all' : `${report.users} drawn`} users; ${report.items} items.`;
  const union = report.unionSize === null ? 'The head scores all items.' : `The head re-orders what any ranker puts among its first ${report.unionSize}; all others follow by the interest model.`;
  return [`## ${name}, ${protocol}`, '', `${QUESTION[protocol]} ${asked} ${union} ${trained}`, '', formatMarkdownTable(['ranker', ...metrics], rows), '', ...paired.map((line) => `- ${line}`)].join('\n');
}

function estimate({ rankers }: EvaluationReport, ranker: string, metric: Metric): string {
  const figures = rankers[ranker]!;
  const [low, high] = figures.ci[metric]!;
  return `${figures[metric].toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
}

/** A section of figures that are not of `evaluate`: rankers by metric, then the paired differences, which are the rankers named `one - other`. */
export function formatCellSection(heading: string, about: string, cells: readonly BenchTableCell[]): string {
  const metrics = [...new Set(cells.map(({ metric }) => metric))];
  const rankers = [...new Set(cells.map(({ ranker }) => ranker))];
  const isPaired = (ranker: string): boolean => ranker.includes(' - ');
  const figure = (ranker: string, metric: string): string => {
    const cell = cells.find((one) => one.ranker === ranker && one.metric === metric);
    if (!cell) return '';
    return cell.low === cell.high ? cell.value.toFixed(4) : `${cell.value.toFixed(4)} [${cell.low.toFixed(4)}, ${cell.high.toFixed(4)}]`;
  };
  const rows = rankers.filter((ranker) => !isPaired(ranker)).map((ranker) => [ranker, ...metrics.map((metric) => figure(ranker, metric))]);
  const paired = cells.filter(({ ranker }) => isPaired(ranker)).map(({ ranker, metric, value, low, high }) => `- ${ranker.replace(' - ', ' less ')}, ${metric}: ${signed(value)} [${signed(low)}, ${signed(high)}]`);
  return [`## ${heading}`, '', about, '', formatMarkdownTable(['ranker', ...metrics], rows), '', ...paired].join('\n');
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;

/** Prints a section and puts it into a file, which starts with `preamble` where it is new. */
export async function writeSection(file: URL, preamble: string, section: string): Promise<void> {
  console.log(`\n${section}\n`);
  await writeFile(file, withSection(await readFile(file, 'utf8').catch(() => `${preamble}\n`), section));
}

/** The file with one section put in the place of the one with its heading, or at the end. */
export function withSection(file: string, section: string): string {
  const heading = section.split('\n', 1)[0]!;
  const parts = file.split(/^(?=## )/m).map((part) => part.trim());
  const at = parts.findIndex((part) => part.split('\n', 1)[0] === heading);
  const merged = at < 0 ? [...parts, section] : parts.with(at, section);
  return `${merged.filter((part) => part !== '').join('\n\n')}\n`;
}
