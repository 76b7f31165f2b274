import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { RecommenderError } from '../errors.ts';
import { writeNpy } from '../lib/npy.ts';
import { openEncoder } from './encoder.ts';

export interface EncodeOptions {
  /** Folder of an encoder pack, or of a recommender pack, whose encoder it then is. */
  readonly pack: string;
  /** One text a line, UTF-8; standard input by default. */
  readonly in?: string;
  /** A .npy file, float32 [lines, dimensions]; standard output by default. */
  readonly out?: string;
}

/** Texts between two lines of progress. */
const PROGRESS_TEXTS = 256;

/**
 * `shelfwise encode`: one text a line in, float32 rows out; an empty line is a text, too.
 * @throws RecommenderError `PACK_UNAVAILABLE`, `PACK_INVALID`; `INVALID_OPTIONS` when binary rows would go to a terminal.
 */
export async function runEncode({ pack, in: input, out }: EncodeOptions): Promise<void> {
  if (out === undefined && process.stdout.isTTY) throw new RecommenderError('INVALID_OPTIONS', 'Name a file with --out, or pipe the rows on.');
  const { encoder, device } = await openEncoder(pack);
  const texts = linesOf(input === undefined ? await text(process.stdin) : await readFile(input, 'utf8'));
  const vectors = new Float32Array(texts.length * encoder.dimensions);
  for (let start = 0; start < texts.length; start += PROGRESS_TEXTS) {
    vectors.set(await encoder.encode(texts.slice(start, start + PROGRESS_TEXTS)), start * encoder.dimensions);
    if (process.stderr.isTTY) process.stderr.write(`\r${Math.min(start + PROGRESS_TEXTS, texts.length)} of ${texts.length} texts`);
  }
  const file = writeNpy(vectors, texts.length, encoder.dimensions);
  if (out === undefined) await new Promise<void>((done) => process.stdout.write(file, () => done()));
  else await writeFile(out, file);
  process.stderr.write(`${process.stderr.isTTY ? '\r' : ''}${texts.length} texts -> ${out ?? 'standard output'}, encoder ${encoder.revision} on ${device.name}\n`);
  encoder.dispose();
  device.dispose();
}

function linesOf(content: string): string[] {
  const lines = content.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
