import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { createReferenceDevice } from '../compute/reference/device.ts';
import { checkDevice } from '../compute/self-test.ts';
import type { GoldenCase } from '../compute/self-test.ts';
import { encoderGoldenCase } from '../encoder/distilled-encoder.ts';
import { RecommenderError } from '../errors.ts';
import { loadPack } from '../packs/load-pack.ts';
import type { Pack, PackManifest } from '../packs/pack.ts';
import { readFileBytes } from '../packs/read-file-bytes.ts';
import { goldenCases, loadOptionalRankers, parseRecommenderPack } from '../rank/recommender-pack.ts';
import { createPlainDevice } from './device.ts';
import { loadEncoderPack, packAddress } from './encoder.ts';

export interface InspectOptions {
  /** A pack's folder or its pack.json. */
  readonly pack: string;
  /** Where the same is written as JSON. */
  readonly json?: string;
}

export interface InspectReport {
  /** pack.json as it is; that it was read means that every file's length, SHA-256 and the revision match. */
  readonly manifest: PackManifest;
  /** Bytes of all files after gzip. */
  readonly wireBytes: number;
  /** Each device's answer to the pack's golden vectors. */
  readonly golden: readonly { readonly device: string; readonly workload: string; readonly ok: boolean; readonly reason: string }[];
}

/** The plain TypeScript device needs seconds for the encoder's golden texts on a busy machine. */
const GOLDEN_TIMEOUT_MS = 60_000;

/**
 * `shelfwise inspect`: what a pack is; checks every hash, and golden vectors on the devices that Node has.
 * @throws RecommenderError `PACK_UNAVAILABLE` or `PACK_INVALID` for a pack that does not match its description;
 * `DEVICE_FAILED`, after the report is out, when golden vectors do not match.
 */
export async function runInspect({ pack: path, json }: InspectOptions): Promise<InspectReport> {
  const pack = await loadPack(packAddress(path), readFileBytes);
  const report: InspectReport = {
    manifest: pack.manifest,
    wireBytes: [...pack.files.values()].reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0),
    golden: await checkGolden(await casesOf(path, pack)),
  };
  process.stdout.write(`${describe(report)}\n`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  const refused = report.golden.find(({ ok }) => !ok);
  if (refused) throw new RecommenderError('DEVICE_FAILED', `${refused.device} ${refused.reason}.`);
  return report;
}

/** The pack's own golden cases; those of its encoder too, where a recommender names one. */
async function casesOf(path: string, pack: Pack): Promise<GoldenCase[]> {
  const { kind, encoder } = pack.manifest;
  const cases = kind === 'encoder' || encoder ? [encoderGoldenCase(await loadEncoderPack(path))] : [];
  if (kind === 'encoder') return cases;
  const recommender = parseRecommenderPack(pack);
  await loadOptionalRankers(recommender, (error) => {
    throw error;
  });
  return [...cases, ...goldenCases(recommender)];
}

async function checkGolden(cases: readonly GoldenCase[]): Promise<InspectReport['golden'][number][]> {
  const rows: InspectReport['golden'][number][] = [];
  for (const device of [await createPlainDevice(), createReferenceDevice()]) {
    for (const golden of cases) {
      const verdict = await checkDevice(device, [golden], { timeoutMs: GOLDEN_TIMEOUT_MS });
      rows.push({ device: device.name, workload: golden.workload, ok: verdict.ok, reason: verdict.ok ? 'gives the golden vectors' : verdict.reason });
    }
    device.dispose();
  }
  return rows;
}

function describe({ manifest, wireBytes, golden }: InspectReport): string {
  const { name, kind, revision, created, licence, files, encoder, features, dims, measured, trainingData } = manifest;
  const pairs = (values: Readonly<Record<string, number>>): string[] => Object.entries(values).map(([key, value]) => `  ${key} ${value}`);
  return [
    `${name}: ${kind} pack, revision ${revision}, ${created}, ${licence}`,
    `files, ${(wireBytes / 1e6).toFixed(2)} MB after gzip; every SHA-256 matches`,
    ...files.map((file) => `  ${file.name} ${file.bytes} bytes ${file.sha256.slice(0, 12)}…`),
    ...(encoder ? [`encoder ${encoder.revision} at ${encoder.address}`] : []),
    ...(features ? [`features ${features.name} version ${features.version}: ${features.names.join(', ')}`] : []),
    'dims',
    ...pairs(dims),
    'measured',
    ...pairs(measured),
    'trained on',
    ...trainingData.map((source) => `  ${source.name} (${source.licence}): ${source.credit}`),
    'golden vectors',
    ...golden.map(({ device, workload, reason }) => `  ${device}, ${workload}: ${reason}`),
  ].join('\n');
}
