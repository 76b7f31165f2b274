import type { DemandTensors } from '../forecast/demand.ts';
import { createReferenceDevice } from '../compute/reference/device.ts';
import { createRandom } from '../lib/random.ts';
import { parseSafetensors, writeSafetensors, type SafeTensor } from '../lib/safetensors.ts';
import { writePack, type PackDescription } from '../packs/write-pack.ts';
import type { PackManifest } from '../packs/pack.ts';
import { FEATURE_COUNT } from '../rank/features.ts';
import { FEATURE_NAMES } from '../rank/feature-schema.ts';
import { createRanker, GOLDEN_ROWS, goldenEvents, headContext, RECOMMENDER_FILES, type RecommenderPack } from '../rank/recommender-pack.ts';
import { JointHead } from '../rank/head.ts';
import type { RankerTables } from '../rank/ranker.ts';
import { easeTensors, sessionTensors, type OptionalTables } from '../rank/optional-tables.ts';
import { tableTensors } from '../rank/ranker-tables.ts';

export type FloatTensors = ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;

/** Large matrices whose rows ship as int8 with a scale each; the rest is small and stays float32. */
const QUANTISED = new Set(['items', 'projection']);

export interface TrainedRecommender {
  readonly itemIds: readonly string[];
  readonly interest: FloatTensors | null;
  readonly demand: DemandTensors | null;
  readonly head: FloatTensors;
  readonly tables: RankerTables & OptionalTables;
}

/** Writes a recommender pack with golden vectors that the reference device computed from the very tensors that ship. */
export async function writeRecommender(folder: string, description: PackDescription, trained: TrainedRecommender): Promise<PackManifest> {
  const interest = trained.interest && packInterest(trained.interest);
  const demand = trained.demand && writeSafetensors(floats(trained.demand));
  const head = writeSafetensors(floats(trained.head));
  const golden = await goldenVectors({
    manifest: { ...description, schemaVersion: 1, revision: '', files: [] },
    itemIds: trained.itemIds,
    interest: interest && parseSafetensors(interest),
    demand: null,
    head: parseSafetensors(head),
    tables: trained.tables,
    optional: null,
    golden: new Map(),
  });
  const { ease, bilinear, sessions } = trained.tables;
  const text = description.dims['text'] ?? 0;
  return writePack(folder, description, [
    [RECOMMENDER_FILES.items, new TextEncoder().encode(JSON.stringify(trained.itemIds))],
    ...(interest ? [[RECOMMENDER_FILES.interest, interest] as const] : []),
    ...(demand ? [[RECOMMENDER_FILES.demand, demand] as const] : []),
    [RECOMMENDER_FILES.head, head],
    [
      RECOMMENDER_FILES.tables,
      writeSafetensors([...tableTensors(trained.tables), ...(ease ? easeTensors(ease) : []), ...(bilinear ? quantiseRows('text.bilinear', [text, text], bilinear) : [])]),
    ],
    ...(sessions ? [[RECOMMENDER_FILES.sessions, writeSafetensors(sessionTensors(sessions, trained.itemIds.length))] as const] : []),
    [RECOMMENDER_FILES.golden, writeSafetensors(golden)],
  ]);
}

/** The interest LSTM as it ships: item embeddings and projection in int8. */
export function packInterest(tensors: FloatTensors): Uint8Array {
  return writeSafetensors(
    [...tensors].flatMap(([name, { shape, values }]): [string, SafeTensor][] => (QUANTISED.has(name) ? quantiseRows(name, shape, values) : [[name, { dtype: 'F32', shape, values }]])),
  );
}

/** int8 rows and their scales, value = int8 · scale with the row's largest magnitude at 127. */
export function quantiseRows(name: string, shape: readonly number[], values: Float32Array): [string, SafeTensor][] {
  const [rows = 0, columns = 0] = shape;
  const scales = new Float32Array(rows);
  const quantised = new Int8Array(values.length);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let k = row * columns; k < (row + 1) * columns; k++) largest = Math.max(largest, Math.abs(values[k]!));
    const scale = largest / 127 || 1;
    scales[row] = scale;
    for (let k = row * columns; k < (row + 1) * columns; k++) quantised[k] = Math.round(values[k]! / scale);
  }
  return [
    [name, { dtype: 'I8', shape, values: quantised }],
    [`${name}.scale`, { dtype: 'F32', shape: [rows], values: scales }],
  ];
}

function floats(tensors: FloatTensors): [string, SafeTensor][] {
  return [...tensors].map(([name, { shape, values }]) => [name, { dtype: 'F32', shape, values }]);
}

async function goldenVectors(pack: RecommenderPack): Promise<[string, SafeTensor][]> {
  const device = createReferenceDevice();
  const golden: [string, SafeTensor][] = [];
  const { interest } = createRanker(pack, { sequence: device, score: device });
  if (interest) {
    const state = await interest.advance(await interest.initialState(), goldenEvents(pack.itemIds));
    golden.push(['sequence.state', { dtype: 'F32', shape: (pack.manifest.model ?? 'lstm') === 'lstm' ? [2, state.length / 2] : [state.length], values: state }]);
  }
  const random = createRandom(1);
  const features = Float32Array.from({ length: GOLDEN_ROWS * FEATURE_COUNT }, () => (random.next() < 0.2 ? NaN : 2 * random.normal()));
  const hidden = Float32Array.from({ length: headContext(pack.manifest) }, () => random.normal() / 2);
  const head = new JointHead(pack.head, pack.manifest.features ?? { name: '', version: 0, names: FEATURE_NAMES }, hidden.length, device);
  golden.push(
    ['score.features', { dtype: 'F32', shape: [GOLDEN_ROWS, FEATURE_COUNT], values: features }],
    ['score.hidden', { dtype: 'F32', shape: [hidden.length], values: hidden }],
    ['score.values', { dtype: 'F32', shape: [GOLDEN_ROWS], values: await head.score(features, hidden) }],
  );
  device.dispose();
  return golden;
}
