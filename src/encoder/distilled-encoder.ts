import type { Device } from '../compute/device.ts';
import type { GoldenCase } from '../compute/self-test.ts';
import { RecommenderError } from '../errors.ts';
import { nextTask } from '../lib/next-task.ts';
import { parseSafetensors } from '../lib/safetensors.ts';
import { packFile } from '../packs/load-pack.ts';
import type { Pack } from '../packs/pack.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import { Bert } from './bert.ts';
import { bertTensors, dimsOf, tokenizerOf } from './encoder-files.ts';
import type { ItemEncoder } from './item-encoder.ts';

/** The encoder of an `encoder` pack on a device. */
export interface DistilledEncoder extends ItemEncoder {
  /** Releases the weights on the device. */
  dispose(): void;
}

/**
 * Tokens that a device computes at once: larger batches are hardly faster per text on one thread of WASM. Between two of them other
 * work gets its turn; how much is asked for at a time, and what is more urgent, is for the encoding queue to decide.
 */
const SLICE_TOKENS = 48;

/**
 * Brings the pack's text encoder to a device.
 * @throws RecommenderError `PACK_INVALID` when the pack is of another kind or its tensors do not fit its `dims`.
 */
export function createDistilledEncoder(pack: Pack, device: Device): DistilledEncoder {
  const dims = dimsOf(pack);
  const tokenizer = tokenizerOf(pack);
  const bert = takeBert(pack, device);
  return {
    revision: pack.manifest.revision,
    dimensions: dims.hidden,
    encode: async (texts, { signal } = {}) => encodeInSlices(bert, texts.map((text) => tokenizer.tokenize(text)), signal),
    dispose() {
      checked.get(device)?.delete(pack);
      bert.dispose();
    },
  };
}

/** The pack's golden token ids and the vectors that a device must give for them. */
export function encoderGoldenCase(pack: Pack): GoldenCase {
  const { hidden } = dimsOf(pack);
  const golden = parseSafetensors(packFile(pack, 'golden.safetensors'));
  const [ids, lengths] = [golden.get('ids'), golden.get('lengths')];
  if (ids?.dtype !== 'I32' || lengths?.dtype !== 'I32') throw new RecommenderError('PACK_INVALID', 'golden.safetensors has no I32 ids and lengths.');
  let start = 0;
  const texts = Array.from(lengths.values, (length) => [...ids.values.subarray(start, (start += length))]);
  return {
    workload: 'encode',
    expected: floatTensor(golden, 'vectors', [texts.length, hidden]),
    vectorLength: hidden,
    async run(device) {
      const bert = checkedBert(pack, device);
      // Weights reach a device in its first run: a short one leaves the fewest gaps between them. Then as in service.
      await bert.encode([shortest(texts)]);
      return encodeInSlices(bert, texts);
    },
  };
}

function shortest(texts: readonly number[][]): number[] {
  return texts.reduce((a, b) => (b.length < a.length ? b : a));
}

/** Models that answered golden vectors, and may be asked again in service: the weights are uploaded once, and the first answer comes 80 ms sooner. */
const checked = new WeakMap<Device, WeakMap<Pack, Bert>>();
const inService = new WeakSet<Bert>();

function checkedBert(pack: Pack, device: Device): Bert {
  const models = checked.get(device) ?? new WeakMap<Pack, Bert>();
  const bert = models.get(pack) ?? createBert(pack, device);
  checked.set(device, models.set(pack, bert));
  return bert;
}

/** The checked model, which from now on has one owner, or a new one. */
function takeBert(pack: Pack, device: Device): Bert {
  const bert = checked.get(device)?.get(pack);
  if (!bert || inService.has(bert)) return createBert(pack, device);
  inService.add(bert);
  return bert;
}

function createBert(pack: Pack, device: Device): Bert {
  return new Bert(device, bertTensors(pack), dimsOf(pack));
}

/** Token ids of each text -> [texts · hidden], unit rows. @throws RecommenderError `ABORTED`, `DEVICE_FAILED` */
async function encodeInSlices(bert: Bert, ids: readonly (readonly number[])[], signal?: AbortSignal): Promise<Float32Array> {
  const { hidden } = bert.dims;
  const vectors = new Float32Array(ids.length * hidden);
  for (const slice of slicesByLength(ids)) {
    if (signal?.aborted) throw new RecommenderError('ABORTED', undefined, { cause: signal.reason });
    const values = await bert.encode(slice.map((row) => ids[row]!)); // [slice, hidden]
    slice.forEach((row, i) => vectors.set(values.subarray(i * hidden, (i + 1) * hidden), row * hidden));
    await nextTask();
  }
  return vectors;
}

/** Row numbers in slices of at most `SLICE_TOKENS` tokens (or one text), short texts first. */
function* slicesByLength(ids: readonly (readonly number[])[]): Generator<number[]> {
  const order = ids.map((_, row) => row).sort((a, b) => ids[a]!.length - ids[b]!.length);
  let slice: number[] = [];
  let tokens = 0;
  for (const row of order) {
    const { length } = ids[row]!;
    if (slice.length > 0 && tokens + length > SLICE_TOKENS) {
      yield slice;
      slice = [];
      tokens = 0;
    }
    slice.push(row);
    tokens += length;
  }
  if (slice.length > 0) yield slice;
}
