import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { PackManifest } from '../src/packs/pack.ts';
import { summarise, type BenchResult, type BenchRow } from './harness.ts';
import { formatMarkdownTable, writeReadmeBlock } from './readme.ts';
import { measureTfjsUnion } from './tfjs-union.ts';

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
  const rows = measured.map(({ name, gzipBytes, limitBytes }) => summarise({ name, unit, ours: [gzipBytes / 1000], ...budgetOf(name, limitBytes) }));
  rows.push(await compareWithTfjs(measured));
  return { rows, tables: [] };
}

const unit = 'kB gzip';

/** What a page has fetched once it ranks on a machine without a GPU, with consent `granted`. */
const LOADED_BY_DEFAULT = ['page', 'worker', 'kernels (WebAssembly)'];
const WEBGPU = 'WebGPU and its race, where there is an adapter';

function budgetOf(name: string, limitBytes: number | null): { goal?: number; aim?: number } {
  if (name === WEBGPU) return { goal: 75, aim: 60 };
  return limitBytes === null ? {} : { goal: limitBytes / 1000 };
}

/** The code that ranks, without weights, beside what tfjs's documentation has a page load for the same. */
async function compareWithTfjs(measured: readonly MeasuredSize[]): Promise<BenchRow> {
  const defaults = measured.filter(({ name }) => LOADED_BY_DEFAULT.includes(name));
  if (defaults.length !== LOADED_BY_DEFAULT.length) throw new Error(`package.json's size-limit must have ${LOADED_BY_DEFAULT.join(', ')}.`);
  const ours = [defaults.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0) / 1000];
  const name = `loaded by default, no weights (${LOADED_BY_DEFAULT.join(' + ')})`;
  try {
    return summarise({ name: `${name} / tfjs union + webgpu`, unit, ours, peer: [(await measureTfjsUnion()) / 1000], goal: 0.12, aim: 0.08 });
  } catch (error) {
    console.log(`Without its peer, which could not be installed or built: ${error instanceof Error ? error.message : String(error)}`);
    return summarise({ name, unit, ours });
  }
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
