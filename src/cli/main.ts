#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { EncodeOptions } from './encode.ts';
import type { EvaluateOptions } from './evaluate.ts';
import { describeExit, INTERRUPTED } from './exit.ts';
import type { ForecastOptions } from './forecast.ts';
import { IMPUTATION_METHODS } from '../forecast/gaps/imputers.ts';
import { OUTLIER_ACTIONS, OUTLIER_METHODS } from '../forecast/outliers.ts';
import type { InspectOptions } from './inspect.ts';
import { PROTOCOLS } from '../evaluate/protocol.ts';
import { PRETRAINING_KINDS } from '../learn/pretraining-kinds.ts';
import { SEQUENCE_KINDS } from '../packs/sequence-kinds.ts';
import type { TrainOptions } from './train.ts';
import type { TuneEncoderOptions } from './tune-encoder.ts';

const program = new Command('shelfwise')
  .description('Trains and checks the packs of the in-device recommender.')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

// Each command's code is loaded when it is used: `encode` needs no training and `train` alone needs DuckDB.
program
  .command('train')
  .description('trains a recommender pack from a behaviour log and a catalogue (CSV, CSV.gz or Parquet)')
  .requiredOption('--interactions <file>', 'user,item and timestamp (Unix seconds) or pos; optional event,qty,price,session')
  .requiredOption('--items <file>', 'item,title; optional price,category')
  .option('--encoder <pack>', 'folder of the text encoder that vectors come from; without titles, or with --without text, items are known by identity alone')
  .requiredOption('--out <folder>', 'where the pack is written')
  .option('--name <name>', 'the pack’s name', 'shop')
  .addOption(new Option('--protocol <name>', 'what is held back to choose the epoch and to train the head').choices(PROTOCOLS).default('temporal'))
  .option('--without <parts>', 'parts to leave out, with commas between: lstm,text,demand', parseParts)
  .addOption(new Option('--preset <name>', 'defaults of sizes, loss, dropout and tables for a kind of log').choices(['shop', 'session', 'sparse', 'long']).default('shop'))
  .option('--until <date>', 'learn nothing from this day on (default: the end of the log)', parseDate)
  .option('--validation-days <days>', 'days before that which choose the epoch', parsePositive, 31)
  .option('--epochs <count>', 'the most epochs', parsePositive)
  .option('--seed <number>', 'the same seed gives the same bytes', parseWhole, 1)
  .option('--threads <count>', 'threads that train; any number gives the same bytes (default: one for each core)', parsePositive)
  .addOption(new Option('--loss <kind>', 'how the interest LSTM compares the next item with others').choices(['softmax', 'sampled-softmax', 'gbce']))
  .option('--negatives <count>', 'items that a sampling loss compares with', parsePositive)
  .addOption(new Option('--sampler <kind>', 'how sampled-softmax draws them').choices(['uniform', 'popularity']))
  .option('--calibration <t>', 'of gbce, from 0 to 1 (default: 0.75)', parseAmount)
  .option('--learning-rate <rate>', 'its peak, for the interest LSTM', parseAmount)
  .option('--warm-up <steps>', 'in which the rate rises to its peak', parseWhole)
  .option('--weight-decay <share>', 'of AdamW, for the interest LSTM', parseAmount)
  .option('--clip <norm>', 'largest norm of its gradients', parseAmount)
  .option('--init <pack>', 'go on from a pack: its interest model is trained with the days since its end, and the loss on the days before is reported')
  .option('--adapter <kind>', 'of --init: full, head-only or lora:RANK, which ships merged (default: full)')
  .option('--freeze <groups>', 'parameters that stay as they start: projection,residual,items,lstm,gru,transformer,user,kind,days')
  .addOption(new Option('--model <kind>', 'what reads the shopper’s behaviours').choices(SEQUENCE_KINDS).default('lstm'))
  .option('--layers <count>', 'of the transformer (default: 2)', parsePositive)
  .option('--heads <count>', 'of the transformer, a divisor of --hidden (default: 2)', parsePositive)
  .option('--layer-dropout <share>', 'within the transformer (default: 0.2)', parseAmount)
  .option('--embedding <units>', 'of the items', parsePositive)
  .option('--hidden <units>', 'of the interest LSTM’s state', parsePositive)
  .option('--cosine <scale>', 'score by scaled cosines; 0 for plain products', parseAmount)
  .option('--input-dropout <share>', 'of what the interest LSTM reads', parseAmount)
  .option('--hidden-dropout <share>', 'of its state', parseAmount)
  .addOption(new Option('--pretrain <kind>', 'what the interest LSTM learns before it is asked for the next item; helps where a log has hundreds of shoppers, not where it has thousands').choices(PRETRAINING_KINDS))
  .option('--pretrain-epochs <count>', 'of --pretrain (default: 10 of masked-items, 60 of autoencoder)', parsePositive)
  .option('--days-weight <weight>', 'of the days until the next purchase beside the next item; 0 leaves them out (default: 0.05)', parseAmount)
  .option('--lanes <count>', 'shoppers that are read side by side', parsePositive)
  .option('--steps <count>', 'events that a gradient goes back, and that a transformer sees', parsePositive)
  .option('--patience <epochs>', 'epochs without a better validation NDCG@10 before training stops', parsePositive)
  .option('--fitted-tables', 'EASE (up to 5,000 items) and a bilinear form over titles, as features of the head')
  .option('--ship-sessions <count>', 'publish the newest sessions in the pack (items only), so that VMIS-kNN runs in the tab', parseWhole)
  .option('--search <count>', 'settings to try in short trainings (search.jsonl) before the best trains to the end', parsePositive)
  .option('--windows', 'compare learning from the last 7, 30 and 90 days and from all, in the report')
  .option('--resume', 'go on where an interrupted training stopped (Ctrl-C packs the best epoch so far and exits with 130)')
  .option('--log-dir <folder>', 'write TensorBoard event files')
  .action(async (options: TrainOptions) => {
    const { interrupted } = await (await import('./train.ts')).runTrain(options);
    if (interrupted) process.exitCode = INTERRUPTED; // the pack is whole, its training is not
  });

program
  .command('tune-encoder')
  .description('tunes a text encoder on what shoppers took together, as a new encoder pack')
  .requiredOption('--interactions <file>', 'user,item and timestamp (Unix seconds) or pos; optional session,split')
  .requiredOption('--items <file>', 'item,title')
  .requiredOption('--encoder <pack>', 'folder of the text encoder to start from')
  .requiredOption('--out <folder>', 'where the tuned encoder is written')
  .option('--method <name>', 'last-layer or lora:RANK (a difference of low rank to its matrices)', 'last-layer')
  .option('--layers <count>', 'layers to tune, from the last one down', parsePositive, 1)
  .option('--name <name>', 'the pack’s name (default: the encoder’s, -tuned)')
  .option('--until <date>', 'learn nothing from this day on (default: the end of the log)', parseDate)
  .option('--validation-days <days>', 'days before that which choose the epoch', parsePositive, 31)
  .option('--epochs <count>', 'of 60 steps each', parsePositive)
  .option('--learning-rate <rate>', 'its peak (default: 0.003 for lora, 0.0003 for last-layer)', parseAmount)
  .option('--seed <number>', 'the same seed gives the same bytes', parseWhole, 1)
  .option('--threads <count>', 'threads that train; any number gives the same bytes (default: one for each core)', parsePositive)
  .option('--json <file>', 'write the report')
  .action(async (options: TuneEncoderOptions) => {
    await (await import('./tune-encoder.ts')).runTuneEncoder(options);
  });

program
  .command('evaluate')
  .description('ranks all items for held-out behaviour: a pack beside every simple ranker, in one table')
  .requiredOption('--pack <folder>', 'a recommender pack')
  .requiredOption('--interactions <file>', 'user,item and timestamp (Unix seconds) or pos; optional event,qty,session,split (CSV, CSV.gz or Parquet)')
  .requiredOption('--items <file>', 'item,title; optional price and any attributes')
  .addOption(new Option('--protocol <name>', 'what is held out: each user’s last item, the last sessions, or all from a day on').choices(['leave-one-out', 'session', 'temporal']).makeOptionMandatory())
  .option('--from <date>', 'where the test of temporal starts (default: the last tenth of the lines)', parseDate)
  .option('--candidates <file>', 'rank these items of each user: user<TAB>item item … (default: all items)')
  .option('--by <column>', 'figures for each group: history, popularity, or a column of the items or the interactions')
  .option('--limit <users>', 'the most users, drawn with the seed', parsePositive)
  .option('--union <count>', 'how many of each ranker’s best items the head re-orders (default: all items of up to 5000, else 200)', parsePositive)
  .option('--seed <number>', 'of --limit and of the intervals', parseWhole, 1)
  .option('--json <file>', 'write the report')
  .action(async (options: EvaluateOptions) => {
    await (await import('./evaluate.ts')).runEvaluate(options);
  });

program
  .command('encode')
  .description('encodes one text a line into float32 rows')
  .requiredOption('--pack <folder>', 'a text encoder')
  .option('--in <file>', 'one text a line (default: standard input)')
  .option('--out <file.npy>', 'float32 rows (default: standard output)')
  .action(async (options: EncodeOptions) => (await import('./encode.ts')).runEncode(options));

program
  .command('forecast')
  .description('forecasts daily or weekly sales with intervals, beside the baselines')
  .requiredOption('--pack <folder>', 'a recommender pack with a demand LSTM')
  .requiredOption('--series <file>', 'item,date,value (CSV, CSV.gz or Parquet)')
  .requiredOption('--horizon <steps>', 'how many steps of the series', parsePositive)
  .option('--backtest', 'also forecast the last steps that are known (up to 3 rolling origins), and compare with simple methods')
  .addOption(new Option('--gaps <method>', 'how unknown values are filled (default: what is best on real series of days or weeks)').choices(IMPUTATION_METHODS))
  .addOption(new Option('--outliers <action>', 'what is done with outliers (default: winsorise)').choices(OUTLIER_ACTIONS))
  .addOption(new Option('--detector <method>', 'what marks outliers (default: hampel)').choices(OUTLIER_METHODS))
  .option('--json <file>', 'write the report')
  .action(async (options: ForecastOptions) => {
    await (await import('./forecast.ts')).runForecast(options);
  });

program
  .command('inspect')
  .description('says what a pack is and checks every hash and golden vector')
  .argument('<pack>', 'the pack’s folder')
  .option('--json <file>', 'write the report')
  .action(async (pack: string, options: Omit<InspectOptions, 'pack'>) => {
    await (await import('./inspect.ts')).runInspect({ ...options, pack });
  });

function parseParts(text: string): string[] {
  const parts = text.split(',');
  const unknown = parts.find((part) => !['lstm', 'text', 'demand'].includes(part));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no part ${unknown}; there are lstm, text, demand.`);
  return parts;
}

function parseWhole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number from 0.');
  return value;
}

function parsePositive(text: string): number {
  const value = parseWhole(text);
  if (value === 0) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}

function parseAmount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError('It must be a number from 0.');
  return value;
}

function parseDate(text: string): string {
  if (Number.isNaN(Date.parse(text))) throw new InvalidArgumentError('It must be a date such as 2011-11-01.');
  return text;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its own line; 0 is --help, anything else an option that is not as documented.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const { exitCode, text } = describeExit(error);
    console.error(text);
    process.exitCode = exitCode;
  }
}
