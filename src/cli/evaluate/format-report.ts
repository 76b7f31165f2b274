import type { Figure } from '../../evaluate/figures.ts';
import { OURS } from '../../evaluate/pack-rankers.ts';
import { FEWEST_USERS_FOR_A_GAP, type EvaluationReport, type ReportedDifference, type ReportedFigures } from './evaluation-report.ts';

const WITH_INTERVALS = ['hr@10', 'ndcg@10', 'mrr@20', 'recall@20'] as const satisfies readonly Figure[];
const VALUES_ONLY = ['precision', 'f1', 'auc', 'accuracy', 'coverage@10', 'diversity@10', 'novelty@10', 'gini@10', 'popularityBias@10', 'calibrationError'] as const satisfies readonly Figure[];
/** Column headings, where the figure's own name is too long. */
const HEADINGS: Readonly<Partial<Record<Figure, string>>> = { precision: 'prec@10', f1: 'F1@10', auc: 'AUC', accuracy: 'acc', 'diversity@10': 'divers@10', 'novelty@10': 'novel@10', 'popularityBias@10': 'popbias@10', calibrationError: 'calib' };
const GROUP_FIGURE = 'ndcg@10';

/** The report as text for a terminal. */
export function formatReport(report: EvaluationReport): string {
  const { protocol, pack, users, items, targets, countedOn, candidates, unionSize, rankers, differences, interestDifferences, groups, speed } = report;
  const asked = candidates ? 'each user’s candidates' : `all ${items} items`;
  const names = Object.keys(rankers);
  const row = (name: string, { ci, ...figures }: ReportedFigures): string[] => [
    name,
    ...WITH_INTERVALS.map((figure) => withInterval(figures[figure], ci[figure]!)),
    ...VALUES_ONLY.map((figure) => short(figures[figure])),
  ];
  return [
    `${pack.name} ${pack.revision}, ${protocol}: ${targets} targets of ${users} users, ${asked} ranked; baselines counted on ${countedOn} interactions.`,
    ...(unionSize === null ? [] : [`The head re-orders the union of each ranker's first ${unionSize} items; the others follow by the interest model's score.`]),
    '',
    ...formatTable([['', ...[...WITH_INTERVALS, ...VALUES_ONLY].map((figure) => HEADINGS[figure] ?? figure)], ...names.map((name) => row(name, rankers[name]!))]),
    '',
    'In brackets: 95 % bootstrap intervals over users. AUC: share of the other items below the target; acc: the first place is the target; calib: expected calibration error of the first place.',
    ...differenceLines(OURS, differences),
    ...(interestDifferences ? differenceLines('its interest model alone', interestDifferences) : []),
    ...(groups ? ['', ...groupLines(groups)] : []),
    '',
    `${speed.seconds.toFixed(0)} s for the rankings: ${speed.targetsPerSecond.toFixed(1)} targets and ${Math.round(speed.itemsPerSecond)} ranked items a second.`,
  ].join('\n');
}

function differenceLines(name: string, differences: EvaluationReport['differences']): string[] {
  return (['ndcg@10', 'hr@10'] as const).flatMap((figure) => {
    const difference = differences[figure];
    return difference ? [`${figure}, ${name} minus the best baseline (${difference.baseline}): ${signed(difference)}`] : [];
  });
}

function groupLines({ by, groups, largestGaps }: NonNullable<EvaluationReport['groups']>): string[] {
  const names = Object.keys(groups[0]?.rankers ?? {});
  const gap = largestGaps[GROUP_FIGURE];
  return [
    `${GROUP_FIGURE} by ${by}; the other figures are in the JSON:`,
    ...formatTable([
      [by, 'users', 'targets', ...names],
      ...groups.map(({ label, users, targets, rankers }) => [label, String(users), String(targets), ...names.map((name) => withInterval(rankers[name]![GROUP_FIGURE], rankers[name]!.ci[GROUP_FIGURE]!))]),
    ]),
    gap
      ? `Largest gap of ours, among groups of ${FEWEST_USERS_FOR_A_GAP} users or more: ${gap.value.toFixed(4)} between ${gap.high} and ${gap.low}.`
      : `No two groups have ${FEWEST_USERS_FOR_A_GAP} users, so no gap is told.`,
  ];
}

const short = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(4));
const withInterval = (value: number, [low, high]: readonly [number, number]): string => `${short(value)} [${short(low)}, ${short(high)}]`;
const signed = ({ value, low, high }: ReportedDifference): string => `${plus(value)} [${plus(low)}, ${plus(high)}]`;
const plus = (value: number): string => `${value < 0 ? '' : '+'}${short(value)}`;

/** Columns side by side, the first to the left and the others to the right. */
function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ').trimEnd());
}
