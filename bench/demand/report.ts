import { writeFile } from 'node:fs/promises';
import { describeRow, ROW_HEADER, type BenchRow, type BenchTableCell } from '../harness.ts';
import { formatMarkdownTable } from '../readme.ts';

const REPORT = new URL('../DEMAND.md', import.meta.url);

export interface TaskReport {
  readonly title: string;
  /** What the tables do not say, such as how often the gate was shut. */
  readonly notes: readonly string[];
  readonly cells: readonly BenchTableCell[];
  readonly rows: readonly BenchRow[];
}

const INTRODUCTION = `# Demand forecasts

Written by \`npm run bench -- demand\`. The 300 products of Online Retail that sold most units in the whole log (\`demo/data/interactions.csv.gz\`; lines of fewer than 2,000
units, days without a sale are 0), from three rolling origins whose horizons do not overlap, at the end of the log. Figures are means over products of
means over origins, with 95 % bootstrap intervals over products; definitions are in \`src/forecast/demand-evaluation.ts\`. MASE and sMAPE judge the median,
RMSSE and bias the mean; a method that says one number says it for both.

Rows of statsforecast 2.1.1 were computed on the same series and origins, fitted again at each origin, with forecasts below 0 raised to 0
and AutoARIMA's orders at most 2 (seasonal: 1). The bench compares its seasonal naive with ours, product by product, before it reads the others. Five minutes on one core:

\`\`\`sh
pip install statsforecast==2.1.1
npx tsx bench/demand/export.ts .cache/bench/demand
python training/demand_classical.py .cache/bench/demand bench/demand/statsforecast.json
\`\`\`
`;

/** Writes bench/DEMAND.md. */
export async function writeDemandReport(tasks: readonly TaskReport[]): Promise<void> {
  await writeFile(REPORT, [INTRODUCTION, ...tasks.map(formatTask)].join('\n'));
}

function formatTask({ title, notes, cells, rows }: TaskReport): string {
  const paired = (cell: BenchTableCell): boolean => cell.task.startsWith('paired');
  const sections = [formatCells(cells.filter((cell) => !paired(cell))), formatCells(cells.filter(paired)), formatMarkdownTable(ROW_HEADER, rows.map(describeRow))];
  return [`## ${title}`, notes.join('\n'), ...sections, ''].join('\n\n');
}

function formatCells(cells: readonly BenchTableCell[]): string {
  const metrics = [...new Set(cells.map(({ metric }) => metric))];
  const rankers = [...new Set(cells.map(({ ranker }) => ranker))];
  const cellOf = (ranker: string, metric: string): string => {
    const cell = cells.find((each) => each.ranker === ranker && each.metric === metric);
    return cell ? `${cell.value.toFixed(3)} [${cell.low.toFixed(3)}, ${cell.high.toFixed(3)}]` : '-';
  };
  return formatMarkdownTable(
    ['method', 'n', ...metrics],
    rankers.map((ranker) => [ranker, String(cells.find((each) => each.ranker === ranker)!.n), ...metrics.map((metric) => cellOf(ranker, metric))]),
  );
}
