import { existsSync } from 'node:fs';
import { backtestDemand, demandMethods, OURS, OURS_UNGATED } from '../src/forecast/demand-backtest.ts';
import { SEASON_STEPS } from '../src/forecast/demand-baselines.ts';
import { bootstrapInterval, DEMAND_METRICS, summariseScores } from '../src/forecast/demand-evaluation.ts';
import type { DemandMetric, SeriesScores } from '../src/forecast/demand-evaluation.ts';
import type { DemandGate } from '../src/forecast/demand-gate.ts';
import { DEMAND_TASKS, INTERACTIONS, readDemandData } from './demand/data.ts';
import type { DemandData, DemandTask } from './demand/data.ts';
import { createOurs } from './demand/ours.ts';
import { writeDemandReport } from './demand/report.ts';
import type { TaskReport } from './demand/report.ts';
import { readStatsforecast } from './demand/statsforecast.ts';
import { summarise, type Bench, type BenchRow, type BenchTableCell } from './harness.ts';

/** What ours must be below the best of all other methods, as a share of it. */
const GOAL = 0.97;

/** The method whose bias ours is compared with. */
const MEAN_OF_28_DAYS = { daily: '28-day mean', weekly: '4-week mean' } as const;

/** Daily and weekly sales of Online Retail's best-selling products, ours beside simple and classical methods. */
export const demand: Bench = async () => {
  if (!existsSync(INTERACTIONS)) {
    console.log(`Skipped: ${INTERACTIONS} is not there.`);
    return { rows: [], tables: [] };
  }
  const data = await readDemandData();
  const ours = createOurs(data, data.series(DEMAND_TASKS[0]!)[0]!.asOf);
  const reports: TaskReport[] = [];
  for (const task of DEMAND_TASKS) reports.push(await runTask(task, data, ours));
  await writeDemandReport(reports);
  console.log('bench/DEMAND.md is up to date.');
  return { rows: reports.flatMap(({ rows }) => rows), tables: reports.flatMap(({ cells }) => cells) };
};

async function runTask(task: DemandTask, { items, series }: DemandData, ours: ReturnType<typeof createOurs>): Promise<TaskReport> {
  const { methods, gates } = await backtestDemand(demandMethods(ours, task.stepDays), series(task), task);
  const all = new Map([...methods, ...(await readStatsforecast(task, items, methods.get('seasonal naive')!))]);
  const others = new Map([...all].filter(([name]) => name !== OURS && name !== OURS_UNGATED));
  const unit = task.stepDays === 1 ? 'days' : 'weeks';
  return {
    title: `${task.name}: ${task.windows} x ${task.horizon} ${unit}`,
    notes: [`Scale of MASE, RMSSE and bias: seasonal naive, ${SEASON_STEPS[task.stepDays]} ${unit}, before each origin.`, describeGates(gates)],
    cells: [...cellsOf(task, all), ...pairedCells(task, all.get(OURS)!, others)],
    rows: rowsOf(task, all.get(OURS)!, others),
  };
}

function describeGates(gates: readonly DemandGate[]): string {
  const said = gates.map(({ on, fallback }) => `${on.filter((open) => !open).length} (${fallback ? `median of ${fallback.median}, mean of ${fallback.mean}` : 'not judged'})`);
  return `Ours was off, for want of a gain before the origin, and another answered, for this many products, the newest origin first: ${said.join('; ')}.`;
}

function* cellsOf({ name }: DemandTask, methods: ReadonlyMap<string, SeriesScores>): Generator<BenchTableCell> {
  for (const [ranker, scores] of methods) {
    const summary = summariseScores(scores);
    for (const metric of DEMAND_METRICS) {
      const [low, high] = summary.ci[metric];
      yield { task: name, ranker, metric, value: summary[metric], low, high, n: summary.items };
    }
  }
}

/** Ours minus the best other one, product by product. */
function* pairedCells({ name }: DemandTask, ours: SeriesScores, others: ReadonlyMap<string, SeriesScores>): Generator<BenchTableCell> {
  for (const metric of ['mase', 'rmsse'] as const) {
    const best = bestOf(metric, others);
    const differences = Array.from(ours[metric], (value, row) => value - others.get(best)![metric][row]!).filter((difference) => !Number.isNaN(difference));
    const [low, high] = bootstrapInterval(differences);
    const value = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
    yield { task: `paired, ${name}`, ranker: `${OURS} - ${best}`, metric, value, low, high, n: differences.length };
  }
}

function rowsOf({ name }: DemandTask, scores: SeriesScores, others: ReadonlyMap<string, SeriesScores>): BenchRow[] {
  const ours = summariseScores(scores);
  const beside = (metric: 'mase' | 'rmsse'): BenchRow => {
    const best = bestOf(metric, others);
    return summarise({ name: `${name}, ${metric} beside ${best}`, unit: '', ours: [ours[metric]], peer: [summariseScores(others.get(best)!)[metric]], goal: GOAL });
  };
  const mean = MEAN_OF_28_DAYS[name];
  const bias = { ours: [Math.abs(ours.bias)], peer: [Math.abs(summariseScores(others.get(mean)!).bias)] };
  return [
    beside('mase'),
    beside('rmsse'),
    summarise({ name: `${name}, size of the bias beside ${mean}`, unit: '', ...bias, goal: 1 }),
    summarise({ name: `${name}, coverage of the 80 % interval, at least`, unit: '', ours: [ours.coverage80], goal: 0.75, bound: 'least' }),
    summarise({ name: `${name}, coverage of the 80 % interval, at most`, unit: '', ours: [ours.coverage80], goal: 0.85 }),
  ];
}

/** The method with the least mean over all products; one that was asked for some of them alone cannot be compared so. */
function bestOf(metric: DemandMetric, methods: ReadonlyMap<string, SeriesScores>): string {
  const asked = (scores: SeriesScores): number => scores[metric].filter((value) => !Number.isNaN(value)).length;
  const most = Math.max(...Array.from(methods.values(), asked));
  const whole = [...methods].filter(([, scores]) => asked(scores) === most);
  return whole.reduce((a, b) => (summariseScores(a[1])[metric] <= summariseScores(b[1])[metric] ? a : b))[0];
}
