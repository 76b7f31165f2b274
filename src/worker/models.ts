import { chooseDevices, type ChosenDevice, type DroppedDevice, type RaceMemory } from '../compute/choose.ts';
import type { Device, Workload } from '../compute/device.ts';
import type { GoldenCase } from '../compute/self-test.ts';
import { createDistilledEncoder, encoderGoldenCase } from '../encoder/distilled-encoder.ts';
import { createStaticTier, hasStaticTier, isFirstFile } from '../encoder/encoder-files.ts';
import type { ItemEncoder } from '../encoder/item-encoder.ts';
import { NO_TEXT_ENCODER } from '../encoder/no-text-encoder.ts';
import { VectorCache } from '../encoder/vector-cache.ts';
import { RecommenderError } from '../errors.ts';
import { DemandModel, type DemandTensors } from '../forecast/demand.ts';
import { ItemDemandCache } from '../forecast/item-demand.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import { besideAddress, loadFiles, loadPack } from '../packs/load-pack.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import type { PackManifest } from '../packs/pack.ts';
import { CandidateReader } from '../rank/candidate-reader.ts';
import type { Ranker } from '../rank/ranker.ts';
import { createRanker, goldenCases, loadOptionalRankers, parseRecommenderPack } from '../rank/recommender-pack.ts';
import type { ShopperStore } from '../storage/shopper-store.ts';
import type { EngineEnvironment } from './environment.ts';
import type { EngineOptions } from './protocol.ts';

/** All that is made of the packs, on the devices that serve. */
export interface Models {
  readonly packRevision: string;
  readonly packs: readonly PackManifest[];
  /** Who serves now, and one line that says why; `encode` is `own` for the shop's own encoder. */
  readonly devices: Readonly<Record<Workload, { readonly device: string; readonly why: string }>>;
  readonly ranker: Ranker;
  readonly demand: DemandModel | null;
  readonly vectors: VectorCache;
  readonly candidates: CandidateReader;
  /** Row of an item in the pack's catalogue, or -1. */
  readonly indexOf: (itemId: string) => number;
  dispose(): Promise<void>;
}

export interface LoadModelsOptions {
  readonly signal?: AbortSignal;
  /** A device was given up, or a store refused vectors; the models go on without. */
  readonly report: (error: RecommenderError) => void;
  /** Where results of races between devices outlive the page; by default each page races. */
  readonly settings?: Pick<ShopperStore, 'readSetting' | 'writeSetting'>;
}

/** An encoder whose device is still to be chosen, and whose larger part may still be on its way. */
interface EncoderSource {
  readonly revision: string;
  readonly manifest: PackManifest | null;
  /** The static tier, which answers meanwhile; without one the models wait for the encoder. */
  readonly provisional?: (device: Device) => ItemEncoder;
  load(): Promise<{ readonly cases: readonly GoldenCase[]; create(device: ChosenDevice): ItemEncoder }>;
}

/**
 * Loads the recommender's pack and then its encoder's, lets devices answer their golden vectors, and makes the models.
 * Several engines of one thread may share them.
 * @throws RecommenderError `PACK_UNAVAILABLE`, `PACK_INVALID` (also when encoder and recommender do not belong together: vectors
 * of two revisions are never compared), `DEVICE_FAILED`, `ABORTED`.
 */
export async function loadModels(
  { pack: address, device: choice }: Pick<EngineOptions, 'pack' | 'device'>,
  environment: Pick<EngineEnvironment, 'readBytes' | 'devices' | 'encoder' | 'gpuName'>,
  { signal, report, settings }: LoadModelsOptions,
): Promise<Models> {
  const gpuName = environment.gpuName?.().catch(() => null); // while the packs are on their way
  const pack = await loadPack(address, environment.readBytes, { ...(signal && { signal }) });
  const { manifest } = pack;
  if (manifest.kind !== 'recommender') throw new RecommenderError('PACK_INVALID', `${address} is a pack of kind ${manifest.kind}.`);
  const recommender = parseRecommenderPack(pack);
  const [optional, source] = await Promise.all([
    loadOptionalRankers(recommender, report),
    environment.encoder ? environment.encoder().then(ownEncoder) : packedEncoder(manifest, address, environment, signal),
  ]);
  if (source.revision !== (manifest.encoder?.revision ?? NO_TEXT_ENCODER.revision)) {
    throw new RecommenderError('PACK_INVALID', `Pack ${manifest.name} was trained with encoder ${manifest.encoder?.revision}, not ${source.revision}.`);
  }
  const loaded = source.provisional ? undefined : await source.load();
  const cases = [...goldenCases(recommender), ...(loaded?.cases ?? [])];
  const devices = await chooseDevices({
    choice,
    cases,
    create: environment.devices,
    onDropped: (dropped) => report(new RecommenderError('DEVICE_FAILED', describeDropped(dropped))),
    ...(settings && { memory: raceMemory(settings, async () => [await gpuName, manifest.revision, source.revision].join(' ')) }),
  });
  let isLate = loaded === undefined;
  /** The encoder, behind what answers already; its device has to give the golden vectors, too. */
  async function loadLayers(): Promise<ItemEncoder> {
    const layers = await source.load();
    cases.push(...layers.cases);
    await devices.chooseAgain('encode');
    isLate = false;
    return layers.create(devices.encode);
  }
  try {
    const provisional = source.provisional?.(devices.score.device);
    const encoder = loaded?.create(devices.encode) ?? lateEncoder(provisional!, loadLayers());
    if (encoder.dimensions !== manifest.dims.text) {
      throw new RecommenderError('PACK_INVALID', `Pack ${manifest.name} reads ${manifest.dims.text} dimensions of text; the encoder gives ${encoder.dimensions}.`);
    }
    const ranker = createRanker(recommender, { sequence: devices.sequence.device, score: devices.score.device }, optional);
    const demand = recommender.demand && DemandModel.load(floatTensors(recommender.demand), devices.sequence.device);
    const vectors = new VectorCache(encoder, { provisional, onStoreFailed: report });
    const rows = new Map(recommender.itemIds.map((id, index) => [id, index]));
    const indexOf = (itemId: string): number => rows.get(itemId) ?? -1;
    const pricePosition = (price: number | undefined): number | null => ranker.pricePosition(price);
    return {
      packRevision: manifest.revision,
      packs: source.manifest ? [manifest, source.manifest] : [manifest],
      get devices() {
        return {
          encode: !source.manifest
            ? { device: 'own', why: "the shop's own encoder" }
            : isLate
              ? { device: 'static', why: 'static: word vectors answer until the encoder is there' }
              : lineOf(devices.encode),
          sequence: lineOf(devices.sequence),
          score: lineOf(devices.score),
        };
      },
      ranker,
      demand,
      vectors,
      candidates: new CandidateReader({ vectors, demand: new ItemDemandCache(demand), indexOf, pricePosition }),
      indexOf,
      dispose: async () => {
        await vectors.close();
        devices.dispose();
      },
    };
  } catch (error) {
    devices.dispose();
    throw error;
  }
}

function ownEncoder(encoder: ItemEncoder): EncoderSource {
  return { revision: encoder.revision, manifest: null, load: () => Promise.resolve({ cases: [], create: () => encoder }) };
}

async function packedEncoder(
  { encoder }: PackManifest,
  packAddress: string,
  { readBytes }: Pick<EngineEnvironment, 'readBytes'>,
  signal: AbortSignal | undefined,
): Promise<EncoderSource> {
  if (!encoder) return ownEncoder(NO_TEXT_ENCODER);
  const address = resolveAddress(encoder.address, packAddress);
  const options = { ...(signal && { signal }) };
  const first = await loadPack(address, readBytes, { ...options, only: (file, manifest) => !hasStaticTier(manifest) || isFirstFile(file) });
  const { manifest } = first;
  return {
    revision: manifest.revision,
    manifest,
    ...(hasStaticTier(manifest) && { provisional: (device: Device) => createStaticTier(first, device) }),
    load: async () => {
      const pack = await loadFiles(first, address, readBytes, options);
      return { cases: [encoderGoldenCase(pack)], create: ({ device }) => createDistilledEncoder(pack, device) };
    },
  };
}

/** An encoder that is still on its way: who asks it waits. */
function lateEncoder({ revision, dimensions }: ItemEncoder, arriving: Promise<ItemEncoder>): ItemEncoder {
  // Whoever asks for a vector hears why there is none.
  arriving.catch(() => undefined);
  return { revision, dimensions, encode: async (texts, options) => (await arriving).encode(texts, options) };
}

/** An address as it is where it is absolute, else beside the pack that names it. */
function resolveAddress(address: string, pack: string): string {
  return /^(?:[a-z][a-z\d+.-]*:|\/)/i.test(address) ? address : besideAddress(pack, address);
}

/** Every tensor as float32, int8 rows with their scales multiplied in. */
function floatTensors(tensors: SafeTensors): DemandTensors {
  const names = [...tensors.keys()].filter((name) => !(name.endsWith('.scale') && tensors.has(name.slice(0, -'.scale'.length))));
  return new Map(names.map((name) => {
    const { shape } = tensors.get(name)!;
    return [name, { shape, values: floatTensor(tensors, name, shape) }];
  }));
}

function raceMemory({ readSetting, writeSetting }: NonNullable<LoadModelsOptions['settings']>, name: () => Promise<string>): RaceMemory {
  const key = async (): Promise<string> => `race ${await name()}`;
  return { read: async () => readSetting(await key()), write: async (results) => writeSetting(await key(), results) };
}

function lineOf({ device, why }: ChosenDevice): { device: string; why: string } {
  return { device: device.name, why };
}

function describeDropped({ device, workload, reason }: DroppedDevice): string {
  return `${device}${workload === null ? '' : ` (${workload})`} ${reason}.`;
}
