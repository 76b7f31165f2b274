import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { columnsKey } from '../../lib/hash.ts';
import type { SafeTensors } from '../../lib/safetensors.ts';
import type { FloatTensors } from '../../learn/write-recommender.ts';
import { writeWhole } from '../checkpoint.ts';
import type { TrainingShop } from './read-shop.ts';

/** The folder of a training's finished stages, and of another's that may be taken over. */
export interface StageFolders {
  readonly working: string;
  /** Goes on where an interrupted training stopped. */
  readonly resume?: boolean | undefined;
  /** Another training's working folder, whose finished stages are taken where they are there. */
  readonly reuse?: string | undefined;
}

/** A finished stage's file, or undefined where it has to be made. */
export async function readStage({ working, resume, reuse }: StageFolders, file: string): Promise<Buffer | undefined> {
  const folders = [...(resume ? [working] : []), ...(reuse === undefined ? [] : [reuse])];
  for (const folder of folders) {
    const bytes = await readFile(join(folder, file)).catch(() => undefined);
    if (bytes) return bytes;
  }
  return undefined;
}

export async function readStageJson<Value>(folders: StageFolders, file: string): Promise<Value | undefined> {
  const json = await readStage(folders, file);
  return json && (JSON.parse(json.toString()) as Value);
}

export async function writeStage({ working }: StageFolders, file: string, content: Uint8Array | object): Promise<void> {
  await writeWhole(join(working, file), content instanceof Uint8Array ? content : new TextEncoder().encode(JSON.stringify(content)));
}

/** Names a stage by all that it is made from: one of other data or settings is never taken for it. */
export function fingerprintOf({ shop: { itemIds, log }, learnt, protocol, encoderRevision }: TrainingShop, settings: readonly (string | number)[]): string {
  return columnsKey([itemIds.join(' '), log.user, log.item, log.time, log.kind, ...[learnt.item.length, protocol, encoderRevision, ...settings].map(String)]);
}

/** int8 tensors stay as they are named; `writeRecommender` packs them to the same bytes again. */
export function asFloats(tensors: SafeTensors): FloatTensors {
  const floats = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const [name, tensor] of tensors) {
    if (name.endsWith('.scale') && tensors.has(name.slice(0, -'.scale'.length))) continue;
    if (tensor.dtype === 'F32') floats.set(name, tensor);
    if (tensor.dtype !== 'I8') continue;
    const scales = tensors.get(`${name}.scale`)!.values;
    const columns = tensor.shape[1]!;
    floats.set(name, { shape: tensor.shape, values: Float32Array.from(tensor.values, (value, at) => value * scales[Math.floor(at / columns)]!) });
  }
  return floats;
}
