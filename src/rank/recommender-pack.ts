import type { Device } from '../compute/device.ts';
import type { GoldenCase } from '../compute/self-test.ts';
import { RecommenderError } from '../errors.ts';
import { InterestModel, type InterestEvent } from '../forecast/interest.ts';
import { parseSafetensors, type SafeTensors } from '../lib/safetensors.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import type { Pack, PackManifest } from '../packs/pack.ts';
import { MISSING } from './feature-schema.ts';
import { FEATURE_COUNT } from './features.ts';
import { JointHead } from './head.ts';
import type { OptionalRankers } from './optional-rankers.ts';
import { Ranker, type RankerTables } from './ranker.ts';
import { parseTables } from './ranker-tables.ts';

/** The files of a recommender pack. */
export const RECOMMENDER_FILES = {
  items: 'items.json',
  interest: 'interest.safetensors',
  demand: 'demand.safetensors',
  head: 'head.safetensors',
  tables: 'tables.safetensors',
  sessions: 'sessions.safetensors',
  golden: 'golden.safetensors',
} as const;

/** A recommender pack, parsed; models are made of it once devices are chosen. */
export interface RecommenderPack {
  readonly manifest: PackManifest;
  /** The catalogue that training saw, in the order of every table. */
  readonly itemIds: readonly string[];
  /** null for a pack without an interest LSTM. */
  readonly interest: SafeTensors | null;
  readonly demand: SafeTensors | null;
  readonly head: SafeTensors;
  readonly tables: RankerTables;
  /** The files of what only some packs have, to be parsed by code that only they need; null in other packs. */
  readonly optional: { readonly tables: SafeTensors; readonly sessions: SafeTensors | null } | null;
  readonly golden: SafeTensors;
}

/** @throws RecommenderError `PACK_INVALID` when a file is missing or does not fit the others. */
export function parseRecommenderPack({ manifest, files }: Pack): RecommenderPack {
  const file = (name: string): Uint8Array => {
    const bytes = files.get(name);
    if (!bytes) throw new RecommenderError('PACK_INVALID', `${name} is missing.`);
    return bytes;
  };
  const optional = (name: string): SafeTensors | null => (files.has(name) ? parseSafetensors(file(name)) : null);
  const itemIds = parseItemIds(file(RECOMMENDER_FILES.items));
  const tables = parseSafetensors(file(RECOMMENDER_FILES.tables));
  const sessions = optional(RECOMMENDER_FILES.sessions);
  return {
    manifest,
    itemIds,
    interest: optional(RECOMMENDER_FILES.interest),
    demand: optional(RECOMMENDER_FILES.demand),
    head: parseSafetensors(file(RECOMMENDER_FILES.head)),
    tables: parseTables(tables, { items: itemIds.length, text: dimension(manifest, 'text') }),
    optional: sessions || tables.has('ease.offsets') || tables.has('text.bilinear') ? { tables, sessions } : null,
    golden: parseSafetensors(file(RECOMMENDER_FILES.golden)),
  };
}

/**
 * The rankers that only some packs have, whose code is fetched for them. Where it cannot be, the pack serves without: the
 * other features say most of what these say, and a shopper is far better off with them than with an order by popularity.
 * @param report gets `PACK_UNAVAILABLE` when the code could not be fetched
 * @throws RecommenderError `PACK_INVALID` when a table does not fit the pack.
 */
export async function loadOptionalRankers({ optional, itemIds, manifest, tables }: RecommenderPack, report: (error: RecommenderError) => void): Promise<OptionalRankers | null> {
  if (!optional) return null;
  const code = await import('./optional-rankers.ts').catch((cause: unknown) => {
    report(new RecommenderError('PACK_UNAVAILABLE', 'Nor could the code for its EASE, bilinear text or sessions: it ranks without them.', { cause }));
    return null;
  });
  return code && code.parseOptionalRankers(optional.tables, optional.sessions, { items: itemIds.length, text: dimension(manifest, 'text') }, tables.textMean);
}

/** The models of a pack on their devices, wired; without `optional` the features of its optional tables are missing. */
export function createRanker(pack: RecommenderPack, devices: { sequence: Device; score: Device }, optional: OptionalRankers | null = null): Ranker {
  return new Ranker({
    interest: createInterestModel(pack, devices.sequence),
    head: createHead(pack, devices.score),
    tables: pack.tables,
    optional,
    device: devices.score,
  });
}

/** What the pack's models must answer on a device before it may serve them. */
export function goldenCases(pack: RecommenderPack): GoldenCase[] {
  const values = (name: string, ...shape: number[]): Float32Array => floatTensor(pack.golden, name, shape);
  const cases: GoldenCase[] = [];
  if (pack.interest) {
    cases.push({
      workload: 'sequence',
      expected: values('sequence.state', ...goldenStateShape(pack)),
      async run(device) {
        const model = createInterestModel(pack, device)!;
        const state = await model.advance(await model.initialState(), goldenEvents(pack.itemIds));
        model.dispose();
        return state;
      },
    });
  }
  cases.push({
    workload: 'score',
    expected: values('score.values', GOLDEN_ROWS),
    async run(device) {
      const head = createHead(pack, device);
      const scores = await head.score(goldenFeatures(pack.golden), values('score.hidden', headContext(pack.manifest)));
      head.dispose();
      return scores;
    },
  });
  return cases;
}

/** An LSTM's state is [2, hidden]; another's length is the model's own. */
function goldenStateShape({ golden, manifest }: RecommenderPack): readonly number[] {
  return (manifest.model ?? 'lstm') === 'lstm' ? [2, dimension(manifest, 'hidden')] : (golden.get('sequence.state')?.shape ?? []);
}

/** [GOLDEN_ROWS, FEATURE_COUNT]; what a feature schema added after the pack was written is missing. */
function goldenFeatures(golden: SafeTensors): Float32Array {
  const width = golden.get('score.features')?.shape[1] ?? 0;
  const stored = floatTensor(golden, 'score.features', [GOLDEN_ROWS, width]);
  const rows = new Float32Array(GOLDEN_ROWS * FEATURE_COUNT).fill(MISSING);
  for (let row = 0; row < GOLDEN_ROWS; row++) rows.set(stored.subarray(row * width, row * width + Math.min(width, FEATURE_COUNT)), row * FEATURE_COUNT);
  return rows;
}

/** Rows in the golden vector of the head. */
export const GOLDEN_ROWS = 8;

/** The behaviours that the golden state is computed from: six items of the catalogue, without text. */
export function goldenEvents(itemIds: readonly string[]): InterestEvent[] {
  const kinds = ['view', 'cart', 'purchase'] as const;
  return Array.from({ length: 6 }, (_, i) => ({
    itemId: itemIds[(i * 7919) % itemIds.length]!,
    textVector: null,
    kind: kinds[i % 3]!,
    gapSeconds: i === 0 ? null : 30 * i,
    pricePosition: i / 6,
  }));
}

/** Size of h_u as the head reads it; 0 for a head without it. */
export function headContext(manifest: PackManifest): number {
  return manifest.dims['context'] ?? 0;
}

function createInterestModel({ interest, manifest, itemIds }: RecommenderPack, device: Device): InterestModel | null {
  if (!interest) return null;
  const dimensions = { text: dimension(manifest, 'text'), embedding: dimension(manifest, 'embedding'), hidden: dimension(manifest, 'hidden'), ...(manifest.model && { model: manifest.model }) };
  return new InterestModel(interest, dimensions, itemIds, device);
}

function createHead({ head, manifest }: RecommenderPack, device: Device): JointHead {
  if (!manifest.features) throw new RecommenderError('PACK_INVALID', 'It does not name the features of its head.');
  return new JointHead(head, manifest.features, headContext(manifest), device);
}

function dimension(manifest: PackManifest, name: string): number {
  const size = manifest.dims[name];
  if (size === undefined) throw new RecommenderError('PACK_INVALID', `dims.${name} is missing.`);
  return size;
}

function parseItemIds(bytes: Uint8Array): string[] {
  const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (!Array.isArray(parsed) || !parsed.every((id) => typeof id === 'string')) throw new RecommenderError('PACK_INVALID', 'items.json is not a list of ids.');
  return parsed;
}
