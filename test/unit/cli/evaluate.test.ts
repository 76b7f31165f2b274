import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { evaluatePack, runEvaluate, type EvaluateOptions } from '../../../src/cli/evaluate.ts';
import type { EvaluationReport } from '../../../src/cli/evaluate/evaluation-report.ts';
import { createProgress } from '../../../src/cli/progress.ts';
import { runTrain } from '../../../src/cli/train.ts';
import { FIGURES } from '../../../src/evaluate/figures.ts';
import { FIRST_VISIT, writeTinyShop } from '../../helpers/tiny-shop.ts';

const DAY = 86_400;
/** Before the last visits of all shoppers. */
const LAST_VISITS = new Date((FIRST_VISIT + 5 * 14 * DAY) * 1_000).toISOString();

let folder: string;
let shop: { interactions: string; items: string };
const pack = (): string => join(folder, 'pack');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-evaluate-'));
  const files = await writeTinyShop(folder);
  shop = { interactions: files.interactions, items: files.items };
  await runTrain({ ...files, out: pack(), until: LAST_VISITS, validationDays: 20, epochs: 3 }, () => undefined);
}, 240_000);
afterAll(() => rm(folder, { recursive: true }));

async function evaluate(options: Partial<EvaluateOptions>, said: string[] = []): Promise<EvaluationReport> {
  return evaluatePack({ pack: pack(), ...shop, protocol: 'temporal', ...options }, createProgress((line) => said.push(line)));
}

describe('shelfwise evaluate', () => {
  it('measures every ranker with intervals, prints a table and writes the same as JSON', async () => {
    const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const json = join(folder, 'report.json');
    const report = await runEvaluate({ pack: pack(), ...shop, protocol: 'temporal', from: LAST_VISITS, by: 'history', json }, () => undefined);
    const text = printed.mock.calls.join('');
    printed.mockRestore();
    expect(JSON.parse(await readFile(json, 'utf8'))).toEqual(report);
    expect(report).toMatchObject({ protocol: 'temporal', users: 60, items: 35, targets: 60 * 3, countedOn: 5 * 60 * 4, warnings: [] });
    const { rankers } = report;
    expect(Object.keys(rankers)).toEqual([
      'popular', 'popular 7 days', 'personal frequency', 'markov', 'rules of last item', 'sequential rules', 'item-kNN', 'VMIS-kNN', 'EASE', 'bilinear text', 'shelfwise', 'shelfwise: interest model alone',
    ]);
    for (const [name, { ci, ...figures }] of Object.entries(rankers)) {
      expect(Object.keys(figures), name).toEqual([...FIGURES]);
      for (const [figure, value] of Object.entries(figures)) {
        expect(value, `${name} ${figure}`).toBeGreaterThanOrEqual(0);
        const interval = ci[figure as keyof typeof ci];
        if (interval) expect(interval[0] <= value + 1e-9 && value <= interval[1] + 1e-9, `${name} ${figure} in its interval`).toBe(true);
      }
      expect(text).toContain(name);
    }
    // Shoppers buy things of one colour, seven of 35 items: the colour is to be seen in session and history.
    expect(rankers['shelfwise']!['hr@10']).toBeGreaterThan(0.9);
    expect(rankers['shelfwise']!['ndcg@10']).toBeGreaterThan(2 * rankers['popular']!['ndcg@10']);
    expect(rankers['shelfwise']!.auc).toBeGreaterThan(0.9);
    expect(report.differences['ndcg@10']!.baseline).not.toMatch(/shelfwise/);
    expect(report.groups!.groups.map(({ label, targets }) => [label, targets])).toEqual([['20–49', 180]]);
    expect(text).toContain('minus the best baseline');
  }, 120_000);

  it('gives the same figures for the same seed', async () => {
    const figures = async (): Promise<Omit<EvaluationReport, 'speed'>> => {
      const { speed, ...rest } = await evaluate({ protocol: 'leave-one-out', limit: 20 });
      expect(speed.itemsPerSecond).toBeGreaterThan(0);
      return rest;
    };
    const report = await figures();
    expect(await figures()).toEqual(report);
    expect(report).toMatchObject({ protocol: 'leave-one-out', users: 20, targets: 20 });
    // Some have had all things of their colour: what is new to them cannot be theirs, so nothing more is asked of the figures here.
    expect(Object.keys(report.rankers)).not.toContain('personal frequency');
  }, 120_000);

  it('groups by a column of either file, and tells the largest gap between large groups', async () => {
    const byPopularity = await evaluate({ protocol: 'session', by: 'popularity' });
    const { groups, largestGaps } = byPopularity.groups!;
    expect(groups.length).toBeGreaterThan(1);
    expect(groups.reduce((sum, { targets }) => sum + targets, 0)).toBe(byPopularity.targets);
    const { high, low, value } = largestGaps['ndcg@10']!;
    const ofGroup = (label: string): number => groups.find((group) => group.label === label)!.rankers['shelfwise']!['ndcg@10'];
    expect(ofGroup(high) - ofGroup(low)).toBeCloseTo(value, 12);
    expect(value).toBeGreaterThanOrEqual(0);
    const byPrice = await evaluate({ from: LAST_VISITS, by: 'price' });
    expect(byPrice.groups!.groups.reduce((sum, { targets }) => sum + targets, 0)).toBe(180);
    const byEvent = await evaluate({ from: LAST_VISITS, by: 'event' });
    expect(byEvent.groups!.groups.map(({ label }) => label)).toEqual(['purchase']);
    expect(byEvent.groups!.largestGaps).toEqual({});
  }, 120_000);

  it('ranks candidate lists, and counts those without the truth as misses', async () => {
    const log = (await readFile(shop.interactions, 'utf8')).trim().split('\n').slice(1).map((line) => line.split(','));
    const own = (user: string): string[] => [...new Set(log.filter(([who]) => who === user).map(([, item]) => item!))];
    const candidates = join(folder, 'candidates.tsv');
    const said: string[] = [];
    // u0 and u5 buy red things: u0 gets them all, u5 only what is not red; u1 has a list of unknown things beside one known.
    await writeFile(candidates, `u0\t${own('u0').join(' ')}\nu5\tblue-mug green-mug\nu1\tblue-mug nothing\nnobody\tblue-mug\n`);
    const { rankers, users, targets, warnings } = await evaluate({ from: LAST_VISITS, candidates }, said);
    expect([users, targets]).toEqual([3, 9]);
    expect(warnings.join('\n')).toMatch(/1 candidate lists are of users whom the log lacks[^]*1 candidates are not in the catalogue[^]*171 targets are of users without candidates[^]*of 9 targets are not among their user's candidates/);
    expect(said.filter((line) => line.startsWith('warning: '))).toHaveLength(4);
    expect(rankers['shelfwise']!['recall@20']).toBeGreaterThanOrEqual(1 / 3); // all of u0's
    expect(rankers['shelfwise']!['recall@20']).toBeLessThan(2 / 3);
  }, 120_000);

  it('re-orders a union of the rankers’ best in large catalogues, and ranks all items all the same', async () => {
    const whole = await evaluate({ from: LAST_VISITS });
    const union = await evaluate({ from: LAST_VISITS, union: 5 });
    expect([whole.unionSize, union.unionSize]).toEqual([null, 5]);
    expect(union.rankers['shelfwise']!['ndcg@10']).toBeCloseTo(whole.rankers['shelfwise']!['ndcg@10'], 1);
    expect(union.rankers['shelfwise']!.auc).toBeGreaterThan(0.8);
    expect(union.rankers['item-kNN']).toEqual(whole.rankers['item-kNN']);
  }, 120_000);

  it('warns of a test that the pack has learnt from, and of items that the catalogue lacks', async () => {
    const interactions = join(folder, 'more.csv');
    await writeFile(interactions, await readFile(shop.interactions));
    await appendFile(interactions, `u0,unheard-of,${FIRST_VISIT + 80 * DAY},purchase,1,1,s9\n`);
    const early = new Date((FIRST_VISIT + 4 * 14 * DAY) * 1_000).toISOString();
    const { warnings } = await evaluate({ interactions, from: early });
    expect(warnings).toEqual([expect.stringMatching(/1 lines have items that the catalogue lacks/), expect.stringMatching(/180 of 360 targets lie before .* up to when the pack has learnt/)]);
    const validation = await evaluate({ from: LAST_VISITS, stage: 'validation' });
    expect(validation.warnings).toEqual([expect.stringMatching(/lie before/)]);
    expect(validation.countedOn).toBeLessThan(5 * 60 * 4);
  }, 120_000);

  it('obeys a split column, and says where it looks ahead', async () => {
    const interactions = join(folder, 'split.csv');
    const [header, ...lines] = (await readFile(shop.interactions, 'utf8')).trim().split('\n');
    const part = (line: string): string => (/,s5-/.test(line) ? 'test' : /,s4-/.test(line) ? 'validation' : 'train');
    await writeFile(interactions, `${header!},split\n${lines.map((line) => `${line},${part(line)}`).join('\n')}\nu0,red-mug,${FIRST_VISIT + 90 * DAY},purchase,1,1,s10,train\n`);
    const { targets, countedOn, warnings } = await evaluate({ interactions });
    expect([targets, countedOn]).toEqual([180, 1_201]);
    expect(warnings).toEqual([expect.stringMatching(/1 training lines .* the split looks ahead/)]);
  }, 120_000);

  it('measures a pack that knows items by identity alone, without diversity of texts', async () => {
    const identity = join(folder, 'identity');
    await runTrain({ ...shop, out: identity, without: ['text'], until: LAST_VISITS, validationDays: 20, epochs: 2 }, () => undefined);
    const { rankers } = await evaluate({ pack: identity, from: LAST_VISITS });
    expect(Object.keys(rankers)).not.toContain('bilinear text');
    expect(rankers['shelfwise']!['diversity@10']).toBeNaN();
    expect(rankers['shelfwise']!['hr@10']).toBeGreaterThan(rankers['popular']!['hr@10']);
  }, 240_000);
});
