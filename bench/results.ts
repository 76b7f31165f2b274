import { writeFile } from 'node:fs/promises';
import { describeRow, ROW_HEADER, type BenchReport, type BenchRow } from './harness.ts';
import { formatMarkdownTable, writeReadmeBlock } from './readme.ts';

/** The reports of one run of all benches, or why there is none, by name. */
export type BenchReports = ReadonlyMap<string, Pick<BenchReport, 'rows'> | { readonly failure: string }>;

const RESULTS = new URL('RESULTS.md', import.meta.url);

/** Writes `bench/RESULTS.md`, every row, and the README's table, those with a goal. */
export async function writeResults(machine: BenchReport['machine'], reports: BenchReports): Promise<void> {
  await writeFile(RESULTS, formatResults(machine, reports));
  await writeReadmeBlock('bench', formatSummary(machine, reports));
}

export function formatResults(machine: BenchReport['machine'], reports: BenchReports): string {
  const sections = [...reports].map(([name, report]) => `## ${name}\n\n${'failure' in report ? `Failed: ${report.failure}` : formatTable(report.rows)}\n`);
  return [`# Results of the benches\n`, `${describeOrigin(machine)} ${HOW_TO_READ}\n`, ...sections].join('\n');
}

/** The rows that have a goal, for the README. */
export function formatSummary(machine: BenchReport['machine'], reports: BenchReports): string {
  const rows = [...reports.values()].flatMap((report) => ('failure' in report ? [] : report.rows)).filter(({ goal, aim }) => goal !== null || aim !== null);
  const failed = [...reports].filter(([, report]) => 'failure' in report).map(([name]) => name);
  return [describeOrigin(machine), '', formatTable(rows), ...(failed.length > 0 ? ['', `Failed: ${failed.join(', ')}.`] : [])].join('\n');
}

function describeOrigin({ cpu, cores, system, node, date }: BenchReport['machine']): string {
  return `Measured on ${cpu} with ${cores} cores (${system}, no GPU is used but where WebGPU is named), Node ${node}, ${date.slice(0, 10)}, by \`npm run bench -- all\`.`;
}

const HOW_TO_READ =
  'Ours and the peer run in turn within each round, in one Chromium page; `ours` and `peer` are medians, the ratio is the median of the rounds’ ratios, with its 10th and 90th percentile.';

function formatTable(rows: readonly BenchRow[]): string {
  return formatMarkdownTable(ROW_HEADER, rows.map(describeRow));
}
