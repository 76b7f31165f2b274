import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { PackManifest } from '../src/packs/pack.ts';
import { summarise, type BenchResult } from './harness.ts';
import { formatMarkdownTable, writeReadmeBlock } from './readme.ts';

const run = promisify(execFile);

export interface MeasuredSize {
  readonly name: string;
  readonly gzipBytes: number;
  /** The budget in package.json's `size-limit`; null for packs. */
  readonly limitBytes: number | null;
}

/** Builds the library and says what it weighs; the rows of the README's table. */
export async function sizes(): Promise<BenchResult> {
  await buildLibrary();
  const measured = await measureSizes();
  await writeReadmeBlock('sizes', formatSizes(measured));
  console.log('README.md: the table of sizes is up to date.');
  const rows = measured.map(({ name, gzipBytes, limitBytes }) =>
    summarise({ name, unit: 'kB gzip', ours: [gzipBytes / 1000], ...(limitBytes === null ? {} : { goal: limitBytes / 1000 }) }),
  );
  return { rows, tables: [] };
}

export async function buildLibrary(): Promise<void> {
  console.log('building the library …');
  await run(process.execPath, ['scripts/build-library.mjs']);
}

/** Gzip bytes of the built code (as size-limit counts them) and of each pack. */
export async function measureSizes(): Promise<MeasuredSize[]> {
  return [...(await measureCode()), ...(await measurePacks())];
}

interface SizeLimitResult {
  readonly name: string;
  readonly size: number;
  readonly sizeLimit: number;
}

async function measureCode(): Promise<MeasuredSize[]> {
  // size-limit ends with 1 where a budget is exceeded and reports all the same; whoever asks compares.
  const { stdout } = await run(process.execPath, ['node_modules/size-limit/bin.js', '--json']).catch((error: unknown) => {
    if (error instanceof Error && 'stdout' in error && typeof error.stdout === 'string') return { stdout: error.stdout };
    throw error;
  });
  const results = JSON.parse(stdout) as SizeLimitResult[];
  return results.map(({ name, size, sizeLimit }) => ({ name, gzipBytes: size, limitBytes: sizeLimit }));
}

async function measurePacks(): Promise<MeasuredSize[]> {
  const folders = (await readdir('models')).filter((name) => existsSync(`models/${name}/pack.json`)).sort();
  return Promise.all(
    folders.map(async (folder) => {
      const json = await readFile(`models/${folder}/pack.json`);
      const manifest = JSON.parse(json.toString()) as PackManifest;
      const files = await Promise.all(manifest.files.map(({ name }) => readFile(`models/${folder}/${name}`)));
      const gzipBytes = [json, ...files].reduce((sum, bytes) => sum + gzipSync(bytes).length, 0);
      return { name: `pack ${folder}`, gzipBytes, limitBytes: null };
    }),
  );
}

/** The README's table: kB are 1000 bytes. */
export function formatSizes(measured: readonly MeasuredSize[]): string {
  const kilobytes = (bytes: number | null): string => (bytes === null ? '-' : (bytes / 1000).toFixed(1));
  return formatMarkdownTable(
    ['what a shopper downloads', 'kB gzip', 'budget'],
    measured.map(({ name, gzipBytes, limitBytes }) => [name, kilobytes(gzipBytes), kilobytes(limitBytes)]),
  );
}
