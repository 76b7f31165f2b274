import { writeFile } from 'node:fs/promises';
import { RecommenderError } from '../errors.ts';
import { createBaselines } from '../evaluate/baselines.ts';
import { rankTargets, surroundingsOf } from '../evaluate/evaluation.ts';
import { BUILT_IN_GROUPINGS, groupByHistory, groupByPopularity, groupByText, type QueryGroups } from '../evaluate/groups.ts';
import { createPackRankers, INTEREST_ALONE, UNION_SIZE, WHOLE_CATALOGUE } from '../evaluate/pack-rankers.ts';
import { divideLog, PROTOCOLS, type DividedRows, type ProtocolName } from '../evaluate/protocol.ts';
import { positiveRows, type EvaluationLog } from '../evaluate/query.ts';
import { createRandom } from '../lib/random.ts';
import { readCandidateLists } from './evaluate/candidate-lists.ts';
import { readEvaluationFiles, readGroupingColumn, type EvaluationFiles } from './evaluate/evaluation-files.ts';
import { reportDifferences, reportFigures, reportGroups, summariseRankers, type EvaluationReport } from './evaluate/evaluation-report.ts';
import { formatReport } from './evaluate/format-report.ts';
import { openPack, type OpenPack } from './evaluate/open-pack.ts';
import { createProgress, type Progress } from './progress.ts';

export interface EvaluateOptions {
  /** A recommender pack's folder or its pack.json. */
  readonly pack: string;
  readonly interactions: string;
  readonly items: string;
  readonly protocol: ProtocolName;
  /** ISO date; the test of `temporal` starts there. Default: the day on which the last tenth of the rows starts. */
  readonly from?: string;
  /** Each user's own candidates. Default: the whole catalogue. */
  readonly candidates?: string;
  /** `history`, `popularity`, or a column of the items or the interactions. */
  readonly by?: string;
  readonly json?: string;
  /** The most users, drawn with the seed. Default: all. */
  readonly limit?: number;
  /** How many of each ranker's best items the head re-orders. Default: all up to WHOLE_CATALOGUE items, else UNION_SIZE. */
  readonly union?: number;
  readonly seed?: number;
  /** `validation` asks for what lies before the test, to choose by; nothing of the test is then read. Default `test`. */
  readonly stage?: 'validation' | 'test';
}

const RESAMPLES = 1_000;

/** `shelfwise evaluate`: a pack beside every simple ranker, by one protocol, in one table. */
export async function runEvaluate(options: EvaluateOptions, print: (line: string) => void = (line) => process.stderr.write(`${line}\n`)): Promise<EvaluationReport> {
  const progress = createProgress(print);
  try {
    const report = await evaluatePack(options, progress);
    progress.done();
    process.stdout.write(`${formatReport(report)}\n`);
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    return report;
  } finally {
    progress.done();
  }
}

/**
 * Pack, log and protocol in, figures out.
 * @throws RecommenderError `INVALID_OPTIONS` for options that contradict, `INVALID_DATA` for files that nothing can be asked from,
 * `PACK_UNAVAILABLE` or `PACK_INVALID` for the pack.
 */
export async function evaluatePack(options: EvaluateOptions, progress: Progress): Promise<EvaluationReport> {
  const { protocol, seed = 1 } = options;
  const from = readFrom(options);
  const pack = await openPack(options.pack);
  try {
    const files = await readEvaluationFiles(options.interactions, options.items);
    const { log, catalogue, users } = files;
    const isPositive = positiveRows(log.kind);
    const divided = atStage(divideLog(log, protocol, { mayBeTarget: isPositive, ...(from === null ? {} : { from }) }), options.stage ?? 'test');
    const column = options.by === undefined || isBuiltIn(options.by) ? null : await readGroupingColumn(options.by, options, files);
    const lists = options.candidates === undefined ? null : await readCandidateLists(options.candidates, users, catalogue.ids);
    const askable = divided.test.filter((row) => !lists || lists.of.has(log.user[row]!));
    if (divided.beforeTest.length === 0 || divided.test.length === 0) throw noTargets(options, divided);
    if (askable.length === 0) throw new RecommenderError('INVALID_DATA', `${options.candidates!}: none of its users has a test target; write lists for the users of the test.`);
    const targets = options.limit === undefined ? askable : drawUsers(askable, log.user, options.limit, seed);
    const warnings = [...warningsOf(files, divided, pack), ...(lists ? listWarnings(lists, divided.test.length - askable.length) : [])];
    for (const warning of warnings) progress.say(`warning: ${warning}`);

    const { texts, textVectors, dimensions } = await pack.encode(catalogue, step(progress, 'titles encoded'));
    const surroundings = surroundingsOf(log, divided, isPositive, textVectors, dimensions);
    progress.say(`${divided.beforeTest.length} interactions counted; ${targets.length} targets to rank`);
    const unionSize = options.union ?? (catalogue.ids.length <= WHOLE_CATALOGUE ? Infinity : UNION_SIZE);
    const rankers = [
      ...createBaselines(log, divided, { itemCounts: surroundings.itemCounts, textVectors, dimensions }),
      ...createPackRankers(log, divided, { ids: catalogue.ids, texts, price: catalogue.price, textVectors, dimensions }, pack, { unionSize }),
    ];
    const started = performance.now();
    const answers = await rankTargets(log, divided, targets, rankers, surroundings, { ...(lists && { candidatesOf: (shopper: number) => lists.of.get(shopper) }), onProgress: step(progress, 'targets ranked') });
    const seconds = (performance.now() - started) / 1_000;
    if (answers.outsideCandidates > 0) {
      warnings.push(`${answers.outsideCandidates} of ${targets.length} targets are not among their user's candidates: no ranker can find them, and they count as misses.`);
      progress.say(`warning: ${warnings.at(-1)!}`);
    }

    const summary = { resamples: RESAMPLES, seed };
    const summaries = summariseRankers(answers, Int32Array.from(answers.targets.keys()), log.user, summary);
    const groups = options.by === undefined ? null : groupTargets(options.by, answers.targets, log, divided, surroundings.itemCounts, column);
    return {
      version: 1,
      protocol,
      pack: { name: pack.manifest.name, revision: pack.manifest.revision },
      users: new Set(Array.from(answers.targets, (row) => log.user[row]!)).size,
      items: catalogue.ids.length,
      targets: answers.targets.length,
      countedOn: surroundings.interactions,
      candidates: lists !== null,
      unionSize: unionSize >= catalogue.ids.length ? null : unionSize,
      seed,
      resamples: RESAMPLES,
      warnings,
      rankers: reportFigures(summaries),
      differences: reportDifferences(summaries),
      interestDifferences: summaries.some(({ name }) => name === INTEREST_ALONE) ? reportDifferences(summaries, INTEREST_ALONE) : null,
      groups: groups && reportGroups(groups, answers, log.user, summary),
      speed: { seconds, targetsPerSecond: targets.length / seconds, itemsPerSecond: answers.itemsRanked / seconds },
    };
  } finally {
    await pack.dispose();
  }
}

function readFrom({ from, protocol }: EvaluateOptions): number | null {
  if (!(PROTOCOLS as readonly string[]).includes(protocol)) throw new RecommenderError('INVALID_OPTIONS', `--protocol ${protocol}: known are ${PROTOCOLS.join(', ')}.`);
  if (from === undefined) return null;
  if (protocol !== 'temporal') throw new RecommenderError('INVALID_OPTIONS', `--from is for --protocol temporal; ${protocol} finds its own test.`);
  const seconds = Date.parse(from) / 1_000;
  if (Number.isNaN(seconds)) throw new RecommenderError('INVALID_OPTIONS', `--from ${from} is not a date such as 2011-11-01.`);
  return seconds;
}

/** The validation in the test's place, with nothing after it. */
function atStage(divided: DividedRows, stage: 'validation' | 'test'): DividedRows {
  return stage === 'test' ? divided : { ...divided, beforeTest: divided.training, test: divided.validation };
}

const isBuiltIn = (by: string): boolean => (BUILT_IN_GROUPINGS as readonly string[]).includes(by);

const ADVICE: Readonly<Record<ProtocolName, string>> = {
  'leave-one-out': 'it needs users with two different items or more',
  session: 'it needs later sessions of two lines or more; a column "session" tells them apart, else each user is one',
  temporal: 'it needs sessions of two lines or more on both sides of a day; choose another --from, or "leave-one-out" for users with few lines',
};

function noTargets({ interactions, protocol, from }: EvaluateOptions, { beforeTest }: DividedRows): RecommenderError {
  const what = beforeTest.length === 0 ? 'nothing is left to count baselines on' : 'there is no test target';
  return new RecommenderError('INVALID_DATA', `${interactions}: ${what} by --protocol ${protocol}${from === undefined ? '' : ` --from ${from}`}: ${ADVICE[protocol]}.`);
}

/** The targets of `limit` users, drawn with the seed. */
function drawUsers(targets: Int32Array, user: Int32Array, limit: number, seed: number): Int32Array {
  const all = Int32Array.from(new Set(Array.from(targets, (row) => user[row]!)));
  const drawn = new Set(createRandom(seed).shuffle(all).subarray(0, limit));
  return targets.filter((row) => drawn.has(user[row]!));
}

function warningsOf({ log, unknownLines }: EvaluationFiles, { test, lookingAhead }: DividedRows, { manifest }: OpenPack): string[] {
  const warnings: string[] = [];
  if (unknownLines > 0) warnings.push(`${unknownLines} lines have items that the catalogue lacks; they are left out.`);
  if (lookingAhead > 0) warnings.push(`${lookingAhead} training lines of the column "split" lie after a held-out line of their own user or session: the split looks ahead.`);
  const learntUntil = Date.parse(manifest.created) / 1_000;
  const seen = log.clock === 'seconds' ? test.reduce((count, row) => count + (log.time[row]! < learntUntil ? 1 : 0), 0) : 0;
  if (seen > 0) {
    warnings.push(`${seen} of ${test.length} targets lie before ${manifest.created}, up to when the pack has learnt: it may know them, and its figures are too good. Take --protocol temporal --from ${manifest.created.slice(0, 10)}, or train with --until before the test.`);
  }
  return warnings;
}

function listWarnings({ unknownItems, unknownUsers }: { readonly unknownItems: number; readonly unknownUsers: number }, without: number): string[] {
  const warnings: string[] = [];
  if (unknownUsers > 0) warnings.push(`${unknownUsers} candidate lists are of users whom the log lacks; they are left out.`);
  if (unknownItems > 0) warnings.push(`${unknownItems} candidates are not in the catalogue; they are left out.`);
  if (without > 0) warnings.push(`${without} targets are of users without candidates; they are left out.`);
  return warnings;
}

function groupTargets(by: string, targets: Int32Array, log: EvaluationLog, { contextOf }: DividedRows, itemCounts: Float32Array, column: { readonly textOf: (row: number) => string } | null): QueryGroups {
  if (by === 'history') {
    return groupByHistory(
      Int32Array.from(targets, (row) => {
        const { history, session } = contextOf(row);
        return history.length + session.length;
      }),
    );
  }
  if (by === 'popularity') return groupByPopularity(Float64Array.from(targets, (row) => itemCounts[log.item[row]!]!));
  return groupByText(by, Array.from(targets, (row) => column!.textOf(row)));
}

const LINES_OF_PROGRESS = 10;

/** A bar where there is one, else a line for every tenth. */
function step(progress: Progress, what: string): (done: number, all: number) => void {
  let said = 0;
  return (done, all) => {
    progress.update({ label: what, share: done / all, metric: `${done} of ${all}` });
    const part = Math.floor((done / all) * LINES_OF_PROGRESS);
    if (part === said) return;
    said = part;
    if (!process.stderr.isTTY) progress.say(`${what}: ${done} of ${all}`);
  };
}
