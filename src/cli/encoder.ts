import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../compute/device.ts';
import { createReferenceDevice } from '../compute/reference/device.ts';
import { checkDevice } from '../compute/self-test.ts';
import { createDistilledEncoder, encoderGoldenCase } from '../encoder/distilled-encoder.ts';
import type { DistilledEncoder } from '../encoder/distilled-encoder.ts';
import { RecommenderError } from '../errors.ts';
import { besideAddress, loadPack } from '../packs/load-pack.ts';
import type { Pack } from '../packs/pack.ts';
import { readFileBytes } from '../packs/read-file-bytes.ts';
import { createPlainDevice } from './device.ts';

/** Golden vectors take 60 ms here; a machine that swaps gets its time. */
const GOLDEN_TIMEOUT_MS = 60_000;

/** An encoder on the command line's device, with what it was made from. */
export interface OpenEncoder {
  readonly encoder: DistilledEncoder;
  readonly pack: Pack;
  readonly device: Device;
}

/** The address of pack.json, for a pack's folder or for pack.json itself. */
export function packAddress(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, 'pack.json') : path;
}

/**
 * An encoder pack, or the encoder pack that a recommender pack was trained with.
 * @throws RecommenderError `PACK_INVALID` when it has another revision than the recommender names.
 */
export async function loadEncoderPack(path: string): Promise<Pack> {
  const address = packAddress(path);
  const pack = await loadPack(address, readFileBytes);
  const { kind, name, encoder } = pack.manifest;
  if (kind === 'encoder') return pack;
  if (!encoder) throw new RecommenderError('PACK_INVALID', `Pack ${name} names no encoder.`);
  const encoderPack = await loadPack(besideAddress(address, encoder.address), readFileBytes);
  const { revision } = encoderPack.manifest;
  if (revision !== encoder.revision) {
    throw new RecommenderError('PACK_INVALID', `Pack ${name} was trained with encoder revision ${encoder.revision}; ${encoder.address} has ${revision}.`);
  }
  return encoderPack;
}

/**
 * Opens a pack's encoder on WebAssembly, or in plain TypeScript where WebAssembly gives wrong golden vectors.
 * @throws RecommenderError `DEVICE_FAILED` when neither reproduces them.
 */
export async function openEncoder(path: string): Promise<OpenEncoder> {
  const pack = await loadEncoderPack(path);
  const golden = encoderGoldenCase(pack);
  const refusals: string[] = [];
  for (const create of [createPlainDevice, createReferenceDevice]) {
    const device = await create();
    const verdict = await checkDevice(device, [golden], { timeoutMs: GOLDEN_TIMEOUT_MS });
    if (verdict.ok) return { pack, device, encoder: createDistilledEncoder(pack, device) };
    refusals.push(`${device.name} ${verdict.reason}`);
    device.dispose();
  }
  throw new RecommenderError('DEVICE_FAILED', refusals.join('; '));
}
