import { writeFile } from 'node:fs/promises';
import type { Estimate } from '../../src/evaluate/bootstrap.ts';
import { formatMarkdownTable } from '../readme.ts';

export interface HelpsRow {
  readonly data: string;
  readonly method: string;
  /** NDCG@10 */
  readonly figure: Estimate;
  /** Over the plain training on the same shoppers, question by question; null for the plain training itself. */
  readonly gain: Estimate | null;
  /** NDCG@10 of each of the plain training's seeds, of which `figure` is the mean. */
  readonly seeds?: readonly number[];
  /** Of all parameters as float32, of a plain training on all shoppers. */
  readonly bytes?: number;
}

const HELPS = new URL('../HELPS.md', import.meta.url);
const WINS_TO_KEEP = 2; // data sets

/** One line a method, two columns a data set, and whether it won where it counts. */
export function formatHelps(rows: readonly HelpsRow[]): string {
  const sets = [...new Set(rows.map(({ data }) => data))];
  const lines = [...new Set(rows.map(({ method }) => method))].map((method) => {
    const own = sets.map((data) => rows.find((row) => row.data === data && row.method === method));
    return [method, ...own.flatMap((row) => (row ? [figureOf(row.figure), gainOf(row)] : ['–', '–'])), verdict(own)];
  });
  return formatMarkdownTable(['', ...sets.flatMap((data) => [`${data}, NDCG@10`, 'gain']), 'kept'], lines);
}

/** Writes bench/HELPS.md. */
export async function writeHelps(rows: readonly HelpsRow[]): Promise<void> {
  const questions = [...new Map(rows.map(({ data, figure }) => [data, figure.n]))].map(([data, n]) => `${n} of ${data}`).join(', ');
  const sizes = rows.flatMap(({ data, bytes }) => (bytes === undefined ? [] : [`${data} ${(bytes / 1e6).toFixed(1)} MB`])).join(', ');
  await writeFile(
    HELPS,
    [
      '# What helps the interest model',
      '',
      [
        `Written by \`npm run bench -- helps\`. NDCG@10 among all items on the questions of the validation part (${questions}); the test part is not looked at.`,
        'Each method alone, seed 1, beside the plain training on the same shoppers, which is the mean of three seeds (each seed’s figure under “gain”).',
        'Intervals are 95 % bootstrap intervals over shoppers, of the gain question by question; ✓: the interval is above 0.',
        `A method is kept where it wins on ${WINS_TO_KEEP} data sets. Pretraining that goes on with a share of the shoppers has read all of them, which the plain training beside it has not;`,
        '“on the same” shoppers both have read as much.',
      ].join('\n'),
      '',
      formatHelps(rows),
      '',
      `Bytes of a model as float32, of which an ensemble has three: ${sizes}.`,
      '',
    ].join('\n'),
  );
}

const wins = ({ gain }: HelpsRow): boolean => gain !== null && gain.low > 0;

function verdict(own: readonly (HelpsRow | undefined)[]): string {
  if (own.every((row) => !row?.gain)) return '';
  const won = own.filter((row) => row && wins(row)).length;
  const measured = own.filter((row) => row).length;
  if (won >= WINS_TO_KEEP) return 'yes';
  return measured < WINS_TO_KEEP ? `undecided (${won} of ${measured})` : `no (${won} of ${measured})`;
}

const figureOf = ({ value, low, high }: Estimate): string => `${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;

function gainOf(row: HelpsRow): string {
  const { gain, seeds = [] } = row;
  if (!gain) return `seeds ${seeds.map((value) => value.toFixed(4)).join(', ')}`;
  return `${signed(gain.value)} [${signed(gain.low)}, ${signed(gain.high)}]${wins(row) ? ' ✓' : ''}`;
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
