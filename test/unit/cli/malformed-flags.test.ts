import { spawn } from 'node:child_process';
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runEncode } from '../../../src/cli/encode.ts';
import { evaluatePack, type EvaluateOptions } from '../../../src/cli/evaluate.ts';
import { describeExit } from '../../../src/cli/exit.ts';
import { runForecast } from '../../../src/cli/forecast.ts';
import { runInspect } from '../../../src/cli/inspect.ts';
import { createProgress } from '../../../src/cli/progress.ts';
import { runTrain } from '../../../src/cli/train.ts';

const pathTo = (name: string): string => new URL(`../../../models/${name}`, import.meta.url).pathname;
const quiet = (): void => undefined;
const RECOMMENDER = pathTo('online-retail');
const ENCODER = pathTo('encoder-en');
// Sessions of two lines on two days, of items that the shipped pack does not know: enough to be asked about.
const LOG = `user,item,timestamp,session\n${[0, 1, 2, 3].flatMap((day) => [`ann,a,${day * 86_400},${day}`, `ann,b,${day * 86_400 + 1},${day}`]).join('\n')}\n`;
const ITEMS = 'item,title,brand\na,Red mug,North\nb,Blue mug,South\n';

let folder: string;
const file = (name: string): string => join(folder, name);
async function written(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(file(name), content);
  return file(name);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-flags-'));
  await written('log.csv', LOG);
  await written('items.csv', ITEMS);
  await written('series.csv', 'item,date,value\na,2011-01-03,4\na,2011-01-10,5\n');
});
afterAll(() => rm(folder, { recursive: true }));

/** The command as a shell runs it. */
async function shelfwise(args: readonly string[]): Promise<{ status: number | null; stderr: string[] }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args]);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, stderr: stderr.trim().split('\n') };
}

describe('flags that are not as documented end with 2 and one line', () => {
  const train = (...flags: string[]): string[] => ['train', '--interactions', 'l.csv', '--items', 'i.csv', '--encoder', 'e', '--out', 'o', ...flags];
  const evaluate = (...flags: string[]): string[] => ['evaluate', '--pack', 'p', '--interactions', 'l.csv', '--items', 'i.csv', ...flags];
  const forecast = (...flags: string[]): string[] => ['forecast', '--pack', 'p', '--series', 's.csv', ...flags];
  it.each<[string, readonly string[], RegExp]>([
    ['no such command', ['teach'], /unknown command 'teach'/],
    ['no such option', train('--fast'), /unknown option '--fast'/],
    ['an option misspelt', evaluate('--protocol', 'session', '--limits', '3'), /unknown option '--limits'[^]*--limit/],
    ['train without a log', ['train', '--items', 'i.csv', '--out', 'o'], /--interactions <file>' not specified/],
    ['an option without its value', train('--seed'), /--seed <number>' argument missing/],
    ['a seed in words', train('--seed', 'x'), /--seed .* 'x' is invalid\. It must be a whole number from 0/],
    ['a seed below 0', train('--seed', '-1'), /--seed .* '-1' is invalid/],
    ['no epochs', train('--epochs', '0'), /--epochs .* '0' is invalid\. It must be a whole number from 1/],
    ['half a day of validation', train('--validation-days', '0.5'), /--validation-days .* '0\.5' is invalid/],
    ['a date that is none', train('--until', 'soon'), /--until .* 'soon' is invalid\. It must be a date such as 2011-11-01/],
    ['an unknown loss', train('--loss', 'hinge'), /--loss .* 'hinge' is invalid\. Allowed choices are softmax, sampled-softmax, gbce/],
    ['an unknown sampler', train('--sampler', 'hard'), /--sampler .* Allowed choices are uniform, popularity/],
    ['a rate below 0', train('--learning-rate', '-0.1'), /--learning-rate .* It must be a number from 0/],
    ['an empty rate', train('--clip', ''), /--clip .* It must be a number from 0/],
    ['an unknown pretraining', train('--pretrain', 'words'), /--pretrain .* Allowed choices are masked-items, autoencoder/],
    ['no threads', train('--threads', '0'), /--threads .* It must be a whole number from 1/],
    ['evaluate without a protocol', evaluate(), /--protocol <name>' not specified/],
    ['an unknown protocol', evaluate('--protocol', 'random'), /--protocol .* Allowed choices are leave-one-out, session, temporal/],
    ['a start that is no date', evaluate('--protocol', 'temporal', '--from', '31.11.2011'), /--from .* It must be a date/],
    ['nobody', evaluate('--protocol', 'session', '--limit', '0'), /--limit .* It must be a whole number from 1/],
    ['no union', evaluate('--protocol', 'session', '--union', 'all'), /--union .* 'all' is invalid/],
    ['a forecast of nothing', forecast('--horizon', '0'), /--horizon .* It must be a whole number from 1/],
    ['a forecast without a horizon', forecast(), /--horizon <steps>' not specified/],
    ['encode without a pack', ['encode'], /--pack <folder>' not specified/],
    ['inspect without a pack', ['inspect'], /missing required argument 'pack'/],
    ['inspect of two packs', ['inspect', 'a', 'b'], /too many arguments/],
  ])('%s', async (_, args, message) => {
    const { status, stderr } = await shelfwise(args);
    expect(stderr.join('\n')).toMatch(message);
    // Commander adds a line of its own, "(Did you mean …?)", where it has an idea.
    expect(stderr.filter((line) => !line.startsWith('(Did you mean'))).toHaveLength(1);
    expect(status).toBe(2);
  }, 60_000);
});

async function expectOneLine(run: Promise<unknown>, message: RegExp): Promise<void> {
  const { exitCode, text } = await run.then(() => ({ exitCode: 0, text: '' }), describeExit);
  expect(text).toMatch(message);
  expect(text).not.toContain('\n');
  expect(text.length).toBeLessThan(500);
  expect(exitCode).toBe(2);
}

/** A copy of a shipped pack beside its encoder, with one thing wrong. */
async function brokenPack(name: string, breakIt: (pack: string) => Promise<unknown>): Promise<string> {
  const pack = file(name);
  await cp(RECOMMENDER, pack, { recursive: true });
  await cp(ENCODER, file('encoder-en'), { recursive: true });
  await breakIt(pack);
  return pack;
}

async function editManifest(pack: string, edit: (text: string) => string): Promise<void> {
  await writeFile(join(pack, 'pack.json'), edit(await readFile(join(pack, 'pack.json'), 'utf8')));
}

describe('packs that are broken', () => {
  const BROKEN: readonly (readonly [string, (pack: string) => Promise<unknown>, RegExp])[] = [
    ['no pack.json', (pack) => rm(join(pack, 'pack.json')), /pack\.json.*\[PACK_UNAVAILABLE\]$/],
    ['pack.json that is no JSON', (pack) => writeFile(join(pack, 'pack.json'), '{'), /\[PACK_INVALID\]$/],
    ['pack.json of something else', (pack) => writeFile(join(pack, 'pack.json'), '{"name":"x"}'), /\[PACK_INVALID\]$/],
    ['a file that is gone', (pack) => rm(join(pack, 'head.safetensors')), /head\.safetensors.*\[PACK_UNAVAILABLE\]$/],
    ['a file cut short', async (pack) => writeFile(join(pack, 'tables.safetensors'), (await readFile(join(pack, 'tables.safetensors'))).subarray(0, -9)), /tables\.safetensors.*\[PACK_INVALID\]$/],
    ['a file grown longer', (pack) => appendFile(join(pack, 'items.json'), ' '), /items\.json.*\[PACK_INVALID\]$/],
    ['one flipped bit', async (pack) => {
      const bytes = await readFile(join(pack, 'interest.safetensors'));
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(join(pack, 'interest.safetensors'), bytes);
    }, /interest\.safetensors.*\[PACK_INVALID\]$/],
    ['an edited manifest', (pack) => editManifest(pack, (text) => text.replace('"hidden": 96', '"hidden": 95')), /\[PACK_INVALID\]$/],
    ['an encoder that is not there', (pack) => editManifest(pack, (text) => text.replace('../encoder-en/pack.json', '../no-encoder/pack.json')), /\[PACK_(INVALID|UNAVAILABLE)\]$/],
  ];

  it.each(BROKEN)('%s: inspect and evaluate refuse it', async (name, breakIt, message) => {
    const pack = await brokenPack(name.replaceAll(/\W/g, '-'), breakIt);
    await expectOneLine(runInspect({ pack }), message);
    await expectOneLine(evaluate({ pack }), message);
  }, 60_000);

  it('are refused by forecast and encode, too; none of them is made of nothing', async () => {
    const pack = await brokenPack('flipped', (copy) => appendFile(join(copy, 'demand.safetensors'), 'x'));
    await expectOneLine(runForecast({ series: file('series.csv'), pack, horizon: 2 }, quiet), /demand\.safetensors.*\[PACK_INVALID\]$/);
    await expectOneLine(runEncode({ pack: file('no-pack'), in: file('items.csv'), out: file('rows.npy') }), /no-pack/);
    await expectOneLine(runInspect({ pack: file('no-pack') }), /no-pack.*\[PACK_UNAVAILABLE\]$/);
    await expectOneLine(runTrain({ interactions: file('log.csv'), items: file('items.csv'), encoder: file('no-pack'), out: file('out'), validationDays: 1 }, quiet), /no-pack.*\[PACK_UNAVAILABLE\]$/);
    await expectOneLine(evaluate({ pack: ENCODER }), /is a pack of kind encoder; name a recommender.*\[PACK_INVALID\]$/);
    await expectOneLine(runForecast({ series: file('series.csv'), pack: ENCODER, horizon: 2 }, quiet), /\[PACK_INVALID\]$/);
  }, 60_000);
});

function evaluate(options: Partial<EvaluateOptions>): Promise<unknown> {
  return evaluatePack({ pack: RECOMMENDER, interactions: file('log.csv'), items: file('items.csv'), protocol: 'temporal', ...options }, createProgress(quiet));
}

describe('evaluations that cannot be', () => {
  it.each<[string, () => Promise<Partial<EvaluateOptions>>, RegExp]>([
    ['an unknown column', () => Promise.resolve({ by: 'colour' }), /--by colour: there is no such column; there are history and popularity, item, title, brand of the items and user, item, timestamp, session of the interactions\. \[INVALID_OPTIONS\]$/],
    ['a start for another protocol', () => Promise.resolve({ protocol: 'session', from: '2011-11-01' }), /--from is for --protocol temporal; session finds its own test/],
    ['a start behind the log', () => Promise.resolve({ from: '2011-11-01' }), /there is no test target by --protocol temporal --from 2011-11-01: .* choose another --from/],
    ['a start before the log', () => Promise.resolve({ from: '1970-01-01' }), /nothing is left to count baselines on .* choose another --from/],
    ['users of one item', async () => ({ protocol: 'leave-one-out', interactions: await written('one.csv', 'user,item,timestamp\nann,a,1\nbob,b,2\n') }), /there is no test target by --protocol leave-one-out: it needs users with two different items/],
    ['sessions of one line', async () => ({ protocol: 'session', interactions: await written('single.csv', 'user,item,timestamp\nann,a,1\nbob,b,2\n') }), /it needs later sessions of two lines or more; a column "session" tells them apart/],
    ['positions for times', async () => ({ interactions: await written('pos.csv', 'user,item,pos\nann,a,1\nann,b,2\n') }), /"temporal" needs times, and the log has positions only; .* "leave-one-out" or "session"/],
    ['a log of other items', async () => ({ interactions: await written('other.csv', 'user,item,timestamp\nann,x,1\nann,y,2\n') }), /none of the log's 2 items is in the catalogue; write ids alike/],
    ['an item twice', async () => ({ items: await written('twice.csv', `${ITEMS}a,Red mug,North\n`) }), /line 4: column "item" is "a"; it stands there before/],
    ['candidates that are not there', () => Promise.resolve({ candidates: file('none.tsv') }), /none\.tsv: there is no such file/],
    ['candidates in a folder', () => Promise.resolve({ candidates: folder }), /that is a folder; name one file of lines/],
    ['no candidates', async () => ({ candidates: await written('empty.tsv', '') }), /the file is empty; write a line user<TAB>item item …/],
    ['candidates with commas', async () => ({ candidates: await written('commas.tsv', 'ann,a,b\n') }), /line 1: no user before a tab; write user<TAB>item item …/],
    ['a user without candidates', async () => ({ candidates: await written('bare.tsv', 'ann\ta\nbob\t \n') }), /line 2: no items behind the tab; name some, or leave the line out/],
    ['two lists of a user', async () => ({ candidates: await written('two.tsv', 'ann\ta\nann\tb\n') }), /line 2: user "ann" has a list before; keep one line a user/],
    ['candidates of strangers', async () => ({ candidates: await written('strangers.tsv', 'eve\ta b\n') }), /none of its users is in the log; write ids alike in both \(the log has "ann"\)/],
    ['candidates that are no gzip', async () => ({ candidates: await written('lists.tsv.gz', 'ann\ta b\n') }), /gzip data end early or are damaged/],
  ])('%s', async (_, optionsOf, message) => {
    await expectOneLine(evaluate(await optionsOf()), message);
  }, 60_000);
});
