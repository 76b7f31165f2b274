import { BEHAVIOUR_KINDS } from '../../src/behaviour/kinds.ts';
import { EVENT_FEATURES, PRICE_QUANTILES } from '../../src/behaviour/sequence.ts';
import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import { DEMAND_FEATURES } from '../../src/forecast/demand-input.ts';
import { HEAD_OUTPUTS } from '../../src/forecast/demand.ts';
import { InterestModel, type InterestDimensions } from '../../src/forecast/interest.ts';
import { sha256Hex } from '../../src/lib/hash.ts';
import { createRandom } from '../../src/lib/random.ts';
import { parseSafetensors, writeSafetensors, type SafeTensor } from '../../src/lib/safetensors.ts';
import { revisionOf } from '../../src/packs/manifest.ts';
import type { PackFile, PackManifest } from '../../src/packs/pack.ts';
import { FEATURE_NAMES, FEATURE_SCHEMA } from '../../src/rank/feature-schema.ts';
import { HEAD_LAYERS, JointHead } from '../../src/rank/head.ts';
import { easeTensors, sessionTensors } from '../../src/rank/optional-tables.ts';
import { GOLDEN_ROWS, goldenEvents, RECOMMENDER_FILES } from '../../src/rank/recommender-pack.ts';

export const TINY_TEXT = 8;
export const TINY_ENCODER_REVISION = '0123456789abcdef';
const DEMAND_HIDDEN = 4;

export interface TinyPackOptions {
  readonly items?: number;
  readonly seed?: number;
  readonly text?: number;
  readonly embedding?: number;
  readonly hidden?: number;
  /** null for a pack that names no encoder. */
  readonly encoderRevision?: string | null;
  readonly address?: string;
  /** With tables that only some packs have. */
  readonly optional?: boolean;
}

type Tensors = [string, SafeTensor][];

/**
 * A recommender pack in the real format with seeded random weights: the pack of items `item-0`, `item-1`, …
 * @returns its files by address, pack.json at `address`.
 */
export async function createTinyPack({
  items = 12,
  seed = 1,
  text = TINY_TEXT,
  embedding = 6,
  hidden = 5,
  encoderRevision = TINY_ENCODER_REVISION,
  address = 'memory:/tiny/pack.json',
  optional = false,
}: TinyPackOptions = {}): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const random = createRandom(seed);
  const draw = (name: string, ...shape: number[]): Tensors[number] => {
    const values = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => 0.4 * random.normal());
    return [name, { dtype: 'F32', shape, values }];
  };
  const constant = (name: string, values: readonly number[]): Tensors[number] => [name, { dtype: 'F32', shape: [values.length], values: Float32Array.from(values) }];
  const itemIds = Array.from({ length: items }, (_, item) => `item-${item}`);
  const interest: Tensors = [
    draw('items', items, embedding),
    draw('items.bias', items),
    draw('items.unseenBias', 1),
    draw('projection', embedding, text),
    draw('lstm.input', 4 * hidden, embedding + EVENT_FEATURES),
    draw('lstm.hidden', 4 * hidden, hidden),
    draw('lstm.bias', 4 * hidden),
    draw('user', embedding, hidden),
    draw('user.bias', embedding),
    draw('kind', BEHAVIOUR_KINDS.length, hidden),
    draw('kind.bias', BEHAVIOUR_KINDS.length),
  ];
  const demand: Tensors = [
    draw('demand.lstm.input', 4 * DEMAND_HIDDEN, DEMAND_FEATURES),
    draw('demand.lstm.hidden', 4 * DEMAND_HIDDEN, DEMAND_HIDDEN),
    draw('demand.lstm.bias', 4 * DEMAND_HIDDEN),
    draw('demand.head', HEAD_OUTPUTS, DEMAND_HIDDEN),
    draw('demand.head.bias', HEAD_OUTPUTS),
    draw('demand.margins', 4, 2),
  ];
  const sizes = [2 * FEATURE_NAMES.length, ...HEAD_LAYERS, 1];
  const head: Tensors = [
    constant('features.mean', FEATURE_NAMES.map(() => 0)),
    constant('features.deviation', FEATURE_NAMES.map(() => 1)),
    draw('context', HEAD_LAYERS[0], hidden),
    ...sizes.slice(1).flatMap((size, layer) => [draw(`layer${layer}`, size, sizes[layer]!), draw(`layer${layer}.bias`, size)]),
  ];
  const tables: Tensors = [
    ...['transitions', 'rules', 'similarities'].flatMap((name) => ringTable(name, items)),
    constant('popularity', itemIds.map((_, item) => item)),
    constant('price.quantiles', Array.from({ length: PRICE_QUANTILES }, (_, at) => at / 10)),
    draw('text.mean', text),
    ...(optional ? [...easeTensors(ring(items)), draw('text.bilinear', text, text)] : []),
  ];
  const dims = { text, embedding, hidden };
  const features = { ...FEATURE_SCHEMA, names: FEATURE_NAMES };
  const golden = await goldenTensors(itemIds, dims, interest, head);
  return describe(address, encoderRevision, { features, dims: { ...dims, context: hidden } }, [
    [RECOMMENDER_FILES.items, new TextEncoder().encode(JSON.stringify(itemIds))],
    [RECOMMENDER_FILES.interest, writeSafetensors(interest)],
    [RECOMMENDER_FILES.demand, writeSafetensors(demand)],
    [RECOMMENDER_FILES.head, writeSafetensors(head)],
    [RECOMMENDER_FILES.tables, writeSafetensors(tables)],
    ...(optional ? [[RECOMMENDER_FILES.sessions, writeSafetensors(sessionTensors(pairs(items), items))] as const] : []),
    [RECOMMENDER_FILES.golden, writeSafetensors(golden)],
  ]);
}

/** Each item's only neighbour is the next one. */
function ring(items: number): { offsets: Int32Array; items: Uint16Array; weights: Float32Array } {
  return {
    offsets: Int32Array.from({ length: items + 1 }, (_, item) => item),
    items: Uint16Array.from({ length: items }, (_, item) => (item + 1) % items),
    weights: new Float32Array(items).fill(0.5),
  };
}

function ringTable(name: string, size: number): Tensors {
  const { offsets, items, weights } = ring(size);
  return [
    [`${name}.offsets`, { dtype: 'I32', shape: [size + 1], values: offsets }],
    [`${name}.items`, { dtype: 'U16', shape: [size], values: items }],
    [`${name}.weights`, { dtype: 'F32', shape: [size], values: weights }],
  ];
}

/** Sessions of an item and the next one. */
function pairs(items: number): { items: Int32Array; offsets: Int32Array } {
  return { items: Int32Array.from({ length: 2 * items }, (_, at) => ((at + 1) >> 1) % items), offsets: Int32Array.from({ length: items + 1 }, (_, session) => 2 * session) };
}

/** What the reference device answers. */
async function goldenTensors(itemIds: readonly string[], dims: InterestDimensions, interest: Tensors, head: Tensors): Promise<Tensors> {
  const device = createReferenceDevice();
  const parsed = (tensors: Tensors): ReturnType<typeof parseSafetensors> => parseSafetensors(writeSafetensors(tensors));
  const model = new InterestModel(parsed(interest), dims, itemIds, device);
  const state = await model.advance(await model.initialState(), goldenEvents(itemIds));
  const features = Float32Array.from({ length: GOLDEN_ROWS * FEATURE_NAMES.length }, (_, at) => Math.sin(at));
  const hidden = state.slice(0, dims.hidden);
  const scores = await new JointHead(parsed(head), { ...FEATURE_SCHEMA, names: FEATURE_NAMES }, dims.hidden, device).score(features, hidden);
  return [
    ['sequence.state', { dtype: 'F32', shape: [2, dims.hidden], values: state }],
    ['score.features', { dtype: 'F32', shape: [GOLDEN_ROWS, FEATURE_NAMES.length], values: features }],
    ['score.hidden', { dtype: 'F32', shape: [dims.hidden], values: hidden }],
    ['score.values', { dtype: 'F32', shape: [GOLDEN_ROWS], values: scores }],
  ];
}

async function describe(
  address: string,
  encoderRevision: string | null,
  described: Pick<PackManifest, 'features' | 'dims'>,
  contents: readonly (readonly [string, Uint8Array<ArrayBuffer>])[],
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files: PackFile[] = await Promise.all(contents.map(async ([name, bytes]) => ({ name, bytes: bytes.length, sha256: await sha256Hex(bytes) })));
  const manifest: PackManifest = {
    schemaVersion: 1,
    kind: 'recommender',
    name: 'tiny',
    revision: await revisionOf(files),
    created: '2026-01-01T00:00:00Z',
    files,
    ...(encoderRevision !== null && { encoder: { revision: encoderRevision, address: '../encoder/pack.json' } }),
    ...described,
    measured: {},
    trainingData: [],
    licence: 'CC0-1.0',
  };
  const folder = address.slice(0, address.lastIndexOf('/') + 1);
  return new Map([[address, new TextEncoder().encode(JSON.stringify(manifest))], ...contents.map(([name, bytes]) => [`${folder}${name}`, bytes] as const)]);
}
