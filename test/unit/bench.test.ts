import { describe, expect, it } from 'vitest';
import { describeRow, quantile, summarise, verdict, type BenchReport } from '../../bench/harness.ts';
import { largestDifference, timeRounds } from '../../bench/page/rounds.ts';
import { readReadmeBlock } from '../../bench/readme.ts';
import { formatCellSection, withSection } from '../../bench/tables/format-table.ts';
import { formatResults, formatSummary } from '../../bench/results.ts';

const machine: BenchReport['machine'] = { cpu: 'Some CPU', cores: 2, system: 'linux x64', node: 'v20', date: '2026-01-02T03:04:05.000Z' };

describe('rows', () => {
  it('take the ratio within each round, so that a machine that slows down changes nothing', () => {
    const row = summarise({ name: 'row', unit: 'ms', ours: [1, 2, 30], peer: [2, 4, 60], goal: 0.5 });
    expect(row).toMatchObject({ ours: 2, peer: 4, ratio: 0.5, p10: 0.5, p90: 0.5, ok: true });
  });

  it('are judged by the ratio, or by ours where there is no peer', () => {
    expect(summarise({ name: 'ratio', unit: 'ms', ours: [9], peer: [10], goal: 0.8 }).ok).toBe(false);
    expect(summarise({ name: 'alone', unit: 'ms', ours: [9], goal: 10 }).ok).toBe(true);
    expect(summarise({ name: 'reported', unit: 'ms', ours: [9] }).ok).toBeNull();
  });

  it('know goals that are lower bounds', () => {
    const cosine = (value: number) => summarise({ name: 'cosine', unit: '', ours: [value], goal: 0.95, aim: 0.98, bound: 'least' });
    expect([0.94, 0.96, 0.99].map((value) => verdict(cosine(value)))).toEqual(['missed', 'must', 'aim']);
    expect([0.94, 0.96, 0.99].map((value) => cosine(value).ok)).toEqual([false, true, true]);
  });

  it('never reach a goal without a value', () => {
    expect(summarise({ name: 'nothing', unit: 'ms', ours: [], goal: 10 }).ok).toBe(false);
    expect(summarise({ name: 'nothing', unit: '', ours: [NaN], goal: 0.9, bound: 'least' }).ok).toBe(false);
  });

  it('may stand for another quantile than the median', () => {
    const times = Array.from({ length: 101 }, (_, at) => at);
    expect(summarise({ name: 'p95', unit: 'ms', ours: times, at: 0.95, goal: 90 })).toMatchObject({ ours: 95, ok: false });
    expect(quantile([3, 1, 2, 4], 0.5)).toBe(2.5);
  });

  it('are described with both goals and what was reached', () => {
    const row = summarise({ name: 'LSTM / tfjs', unit: 'ms', ours: [0.004], peer: [0.16], goal: 0.04, aim: 0.02 });
    expect(describeRow(row)).toEqual(['LSTM / tfjs', '0.004 ms', '0.16 ms', '0.025', '-', '≤ 0.04', '≤ 0.02', 'must']);
  });
});

describe('results', () => {
  const judged = summarise({ name: 'judged', unit: 'ms', ours: [1], peer: [2], goal: 0.6 });
  const reported = summarise({ name: 'reported', unit: 'ms', ours: [1] });
  const reports = new Map([
    ['fast', { rows: [judged, reported] }],
    ['broken', { failure: 'no browser' }],
  ]);

  it('name machine, day, every row and every failure', () => {
    const text = formatResults(machine, reports);
    for (const part of ['Some CPU', '2 cores', '2026-01-02', '## fast', '| judged |', '| reported |', '## broken\n\nFailed: no browser']) expect(text).toContain(part);
  });

  it('are summed up by the rows that have a goal', () => {
    const text = formatSummary(machine, reports);
    expect(text).toContain('| judged |');
    expect(text).not.toContain('| reported |');
    expect(text).toContain('Failed: broken.');
  });

  it('have their place in the README', async () => {
    expect(await readReadmeBlock('bench')).not.toBe('');
  });
});

describe('timeRounds', () => {
  it('refuses contenders that do not give the same numbers', async () => {
    const contenders = { ours: () => Float32Array.of(1, 2), theirs: () => Float32Array.of(1, 2.5) };
    await expect(timeRounds(contenders, { rounds: 1, tolerance: 0.1 })).rejects.toThrow('theirs differs from ours by 0.5');
    await expect(timeRounds({ ours: () => Float32Array.of(NaN) }, { rounds: 1, tolerance: 1 })).rejects.toThrow('differs');
  });

  it('gives every contender as many times as there are rounds', async () => {
    const slow = () => new Promise<Float32Array>((resolve) => setTimeout(() => resolve(Float32Array.of(1)), 160));
    const times = await timeRounds({ a: slow, b: slow }, { rounds: 2, tolerance: 0 });
    expect(Object.values(times).map((each) => each.length)).toEqual([2, 2]);
    expect(Object.values(times).flat().every((time) => time > 0)).toBe(true);
  });

  it('calls results of unlike lengths infinitely different', () => {
    expect(largestDifference(Float32Array.of(1), Float32Array.of(1, 2))).toBe(Infinity);
  });
});

describe('tables of public data', () => {
  it('stand in one file, each section in the place of the one with its heading', () => {
    const first = withSection('# Tables\n\nHow to read.\n', '## one, session\n\nold');
    const both = withSection(first, '## two, session\n\nx');
    expect(withSection(both, '## one, session\n\nnew')).toBe('# Tables\n\nHow to read.\n\n## one, session\n\nnew\n\n## two, session\n\nx\n');
  });

  it('have figures with intervals, published ones without, and paired differences as lines', () => {
    const cell = (ranker: string, value: number, half: number) => ({ task: 'next', ranker, metric: 'ndcg@10', value, low: value - half, high: value + half, n: 9 });
    expect(formatCellSection('shop, next', 'Asked.', [cell('published: SASRec', 0.5, 0), cell('ours', 0.625, 0.125), cell('ours - SASRec', -0.125, 0.0625)])).toBe(
      '## shop, next\n\nAsked.\n\n| ranker | ndcg@10 |\n| --- | ---: |\n| published: SASRec | 0.5000 |\n| ours | 0.6250 [0.5000, 0.7500] |\n\n- ours less SASRec, ndcg@10: −0.1250 [−0.1875, −0.0625]',
    );
  });
});
