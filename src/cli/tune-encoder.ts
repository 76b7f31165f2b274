import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openTrainingKernels } from '../compute/open-training-kernels.ts';
import { createDistilledEncoder } from '../encoder/distilled-encoder.ts';
import { bertTensors, dimsOf, hasStaticTier, STATIC, tokenizerOf } from '../encoder/encoder-files.ts';
import { itemText } from '../encoder/item-text.ts';
import { RecommenderError } from '../errors.ts';
import { estimate, type Estimate } from '../evaluate/bootstrap.ts';
import { frozenStates } from '../learn/encoder-tuning/frozen-states.ts';
import { createPairSampler } from '../learn/encoder-tuning/pair-sampler.ts';
import { refitStaticTier } from '../learn/encoder-tuning/static-refit.ts';
import { drawTextQueries, rankByText, type TextQuery } from '../learn/encoder-tuning/text-ranking.ts';
import { DEFAULT_ENCODER_TUNING, tuneEncoder, type TuningEpoch } from '../learn/encoder-tuning/tune-encoder.ts';
import type { EncoderTuning } from '../learn/encoder-tuning/tuned-linear.ts';
import { tunedFiles } from '../learn/encoder-tuning/tuned-files.ts';
import { createRandom } from '../lib/random.ts';
import type { PackManifest } from '../packs/pack.ts';
import { writePack } from '../packs/write-pack.ts';
import { writeWhole } from './checkpoint.ts';
import { openEncoder, packAddress } from './encoder.ts';
import { createProgress, type Progress } from './progress.ts';
import { readVisits } from './visits.ts';

export interface TuneEncoderOptions {
  readonly interactions: string;
  readonly items: string;
  /** The encoder pack's folder. */
  readonly encoder: string;
  /** Where the tuned pack is written. */
  readonly out: string;
  /** `last-layer` (default) or `lora:RANK`. */
  readonly method?: string;
  /** How many layers are tuned, from the last one down. Default 1. */
  readonly layers?: number;
  /** ISO date; nothing from this day on is learnt. Default: the end of the log. */
  readonly until?: string;
  /** Days before `until` that choose the epoch; of a log with positions, a tenth of the shoppers do. Default 31. */
  readonly validationDays?: number;
  readonly epochs?: number;
  readonly learningRate?: number;
  readonly seed?: number;
  /** That train; any number gives the same bytes. Default: one for each core. */
  readonly threads?: number;
  readonly name?: string;
  readonly json?: string;
  readonly trainingData?: PackManifest['trainingData'][number];
}

export interface TuneEncoderReport {
  readonly version: 1;
  readonly base: string;
  readonly revision: string;
  readonly method: string;
  /** Numbers that were trained. */
  readonly parameters: number;
  readonly minutes: number;
  readonly history: readonly TuningEpoch[];
  /** NDCG@10 by text alone on the validation's visits, as shipped, and of the same visits the difference. */
  readonly before: Estimate;
  readonly after: Estimate;
  readonly gain: Estimate;
  /** Mean cosine of the catalogue's vectors to what they were. */
  readonly cosine: number;
}

const KERNEL_MEGABYTES = 1_024;
const VALIDATION_VISITS = 1_000;
/** Of a text, for tuning: what is behind them trains nothing, and is read in service as ever. */
const MOST_TOKENS = 48;
/** Peak rates that won on Online Retail (`npm run bench -- tuning`): a difference of low rank starts from zeros and takes larger steps. */
const LEARNING_RATES = { 'last-layer': 3e-4, lora: 3e-3 } as const;

/**
 * `shelfwise tune-encoder`: an encoder pack, tuned on what shoppers of this log took together, as a new pack with a revision of its own.
 * @throws RecommenderError `INVALID_DATA` for files that cannot be tuned on and where no epoch ranks better than the encoder as it came,
 * `INVALID_OPTIONS` for options that are not as documented.
 */
export async function runTuneEncoder(options: TuneEncoderOptions, print: (line: string) => void = (line) => process.stderr.write(`${line}\n`)): Promise<TuneEncoderReport> {
  const progress = createProgress(print);
  try {
    return await tune(options, progress);
  } finally {
    progress.done();
  }
}

async function tune(options: TuneEncoderOptions, progress: Progress): Promise<TuneEncoderReport> {
  const { say } = progress;
  const { seed = 1, layers = DEFAULT_ENCODER_TUNING.layers, method = 'last-layer' } = options;
  const tuning = tuningOf(method);
  const data = await readVisits(options);
  const { encoder, pack, device } = await openEncoder(options.encoder);
  const dims = dimsOf(pack);
  if (layers > dims.layers) throw new RecommenderError('INVALID_OPTIONS', `--layers ${layers}: the encoder has ${dims.layers}.`);
  const { texts, textOf } = distinctTexts(data.items);
  const random = createRandom(seed);
  const queries = drawTextQueries(data.validation, VALIDATION_VISITS, random);
  const sampler = createPairSampler(data.training, textOf, texts.length);
  if (queries.length === 0) throw new RecommenderError('INVALID_DATA', 'The validation part has no visit of two items to choose the epoch by; choose more --validation-days.');
  say(`${data.training.time.length} visits to learn from, ${queries.length} to validate, ${texts.length} titles; encoding them`);
  const tokenizer = tokenizerOf(pack);
  const states = await frozenStates(pack, device, texts.map((text) => tokenizer.tokenize(text).slice(0, MOST_TOKENS)), layers);

  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt); // once: a second Ctrl-C ends the process
  const kernels = await openTrainingKernels({ maxBytes: KERNEL_MEGABYTES * 2 ** 20, threads: options.threads ?? availableParallelism() });
  const started = Date.now();
  const settings = {
    ...DEFAULT_ENCODER_TUNING,
    tuning,
    layers,
    seed,
    epochs: options.epochs ?? DEFAULT_ENCODER_TUNING.epochs,
    learningRate: options.learningRate ?? LEARNING_RATES[tuning.kind],
  };
  let metric = '';
  let before = new Float32Array(0); // [texts, hidden], as the encoder came
  const validate = (vectors: Float32Array, epoch: number): number => {
    if (epoch === 0) before = vectors.slice();
    return mean(judge(vectors, queries, textOf, dims.hidden));
  };
  const tuned = await tuneEncoder(
    { tensors: bertTensors(pack), dims, states, sampler, validate },
    kernels,
    settings,
    {
      signal: stop.signal,
      onProgress: ({ epoch, share, loss }) => progress.update({ label: `encoder, epoch ${epoch}`, share, loss, metric }),
      onEpoch({ epoch, loss, ndcg, seconds }) {
        metric = ndcg === null ? '' : `NDCG@10 ${ndcg.toFixed(4)}`;
        say(epoch === 0 ? `encoder as it came: ${metric}` : `encoder: epoch ${epoch}, loss ${loss.toFixed(4)}, ${metric} (${seconds.toFixed(0)} s)`);
      },
    },
  ).finally(async () => {
    process.removeListener('SIGINT', interrupt);
    await kernels.close();
  });
  if (tuned.best === 0) {
    throw tuned.interrupted
      ? new RecommenderError('ABORTED', 'No epoch was better than the encoder as it came, so nothing was written.')
      : new RecommenderError('INVALID_DATA', 'No epoch ranks better by text than the encoder as it came, so nothing was written; train with --encoder as it is, or tune on a longer log.');
  }
  const minutes = (Date.now() - started) / 60_000;

  const files = await tunedFiles(pack, tuned.tensors);
  const shipped = createDistilledEncoder({ ...pack, files }, device);
  const after = await shipped.encode(texts);
  if (hasStaticTier(pack.manifest)) files.set(STATIC, await refitStaticTier(pack, device, texts, after));
  const [was, is] = [before, after].map((vectors) => judge(vectors, queries, textOf, dims.hidden)) as [Float64Array, Float64Array];
  const estimates = { before: estimateOf(was, queries), after: estimateOf(is, queries), gain: estimateOf(is.map((value, query) => value - was[query]!), queries) };
  const cosine = meanCosine(before, after, texts.length);
  const manifest = await writePack(
    options.out,
    {
      kind: 'encoder',
      name: options.name ?? `${pack.manifest.name}-tuned`,
      created: new Date(data.until * 1_000).toISOString(),
      base: { name: pack.manifest.name, revision: pack.manifest.revision },
      dims: pack.manifest.dims,
      measured: {
        wireBytes: [...files.values()].reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0),
        parameters: tuned.parameters,
        'text.ndcg@10.before': estimates.before.value,
        'text.ndcg@10': estimates.after.value,
        'cosine to base': cosine,
      },
      trainingData: [...pack.manifest.trainingData, options.trainingData ?? { name: options.interactions, licence: 'the shop’s own', credit: '' }],
      licence: options.trainingData ? pack.manifest.licence : `${pack.manifest.licence}; tuned on the shop’s own data`,
    },
    files,
  );
  await writeNotes(options, manifest, method, layers, estimates);
  shipped.dispose();
  encoder.dispose();
  device.dispose();
  say(`NDCG@10 by text alone ${describe(estimates.before)} -> ${describe(estimates.after)}, gain ${describe(estimates.gain)}, ${queries.length} visits; cosine to before ${cosine.toFixed(3)}; ${tuned.parameters} numbers in ${minutes.toFixed(1)} minutes`);
  say(`pack ${manifest.name} ${manifest.revision} in ${options.out}; train recommenders with --encoder ${options.out}: vectors of another revision are never mixed`);
  const report: TuneEncoderReport = { version: 1, base: pack.manifest.revision, revision: manifest.revision, method, parameters: tuned.parameters, minutes, history: tuned.history, ...estimates, cosine };
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** @throws RecommenderError `INVALID_OPTIONS` */
export function tuningOf(method: string): EncoderTuning {
  if (method === 'last-layer') return { kind: 'last-layer' };
  const rank = /^lora:(\d+)$/.exec(method)?.[1];
  if (rank === undefined || Number(rank) < 1) throw new RecommenderError('INVALID_OPTIONS', `--method ${method}: there are last-layer and lora:RANK, for instance lora:8.`);
  return { kind: 'lora', rank: Number(rank) };
}

/** Each text once, and the text of each item; -1 for items without one. */
function distinctTexts(items: { readonly ids: readonly string[]; readonly titles: readonly string[] }): { texts: string[]; textOf: Int32Array } {
  const numbers = new Map<string, number>();
  const textOf = Int32Array.from(items.ids, (id, item) => {
    const text = itemText({ id, title: items.titles[item]! });
    if (text === '') return -1;
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  });
  return { texts: [...numbers.keys()], textOf };
}

/** NDCG@10 of each query by the items' vectors; an item without text has a vector of zeros. */
function judge(vectors: Float32Array, queries: readonly TextQuery[], textOf: Int32Array, size: number): Float64Array {
  const ofItems = new Float32Array(textOf.length * size);
  textOf.forEach((text, item) => {
    if (text >= 0) ofItems.set(vectors.subarray(text * size, (text + 1) * size), item * size);
  });
  return rankByText(ofItems, size, queries);
}

function estimateOf(values: Float64Array, queries: readonly TextQuery[]): Estimate {
  return estimate(queries.map(({ customer }, query) => ({ customer, value: values[query]! })));
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function meanCosine(before: Float32Array, after: Float32Array, texts: number): number {
  return before.reduce((sum, value, at) => sum + value * after[at]!, 0) / texts;
}

const describe = ({ value, low, high }: Estimate): string => `${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;

/** README.md and NOTICE beside the pack: the base's notice holds for what was made from it. */
async function writeNotes(options: TuneEncoderOptions, manifest: PackManifest, method: string, layers: number, figures: Pick<TuneEncoderReport, 'before' | 'after' | 'gain'>): Promise<void> {
  const { base, name, revision, licence, trainingData, measured } = manifest;
  const card = `# ${name}

A text encoder, revision \`${revision}\`, made from ${base!.name} \`${base!.revision}\` by \`shelfwise tune-encoder --method ${method} --layers ${layers}\`: ${measured.parameters} numbers
of its last layers were trained on pairs of titles that shoppers took together (InfoNCE with in-batch negatives); the rest is as it was. Licence: ${licence}.

| NDCG@10 by text alone, visits held back | |
|---|---|
| as it came | ${describe(figures.before)} |
| tuned, as it ships | ${describe(figures.after)} |
| gain, paired | ${describe(figures.gain)} |

Vectors have a mean cosine of ${measured['cosine to base']!.toFixed(3)} to the base's and must not be mixed with them. On texts unlike this shop's it may be worse than its base.

## Trained on

${trainingData.map((source) => `- ${source.name} (${source.licence})${source.credit ? `: ${source.credit}` : ''}`).join('\n')}
`;
  await writeWhole(join(options.out, 'README.md'), new TextEncoder().encode(card));
  const notice = await readFile(join(dirname(packAddress(options.encoder)), 'NOTICE'), 'utf8').catch(() => null);
  if (notice !== null) await writeWhole(join(options.out, 'NOTICE'), new TextEncoder().encode(`${notice}\nTuned further as ${name} (see README.md); changes: the last ${layers} of its layers.\n`));
}
