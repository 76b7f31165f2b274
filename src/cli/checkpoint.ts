import { readFile, rename, writeFile } from 'node:fs/promises';
import { parseSafetensors, writeSafetensors, type SafeTensor } from '../lib/safetensors.ts';
import type { InterestCheckpoint } from '../learn/interest-training.ts';

/** All of an epoch's state is one file: of two, a kill between them would leave one epoch's numbers beside another's weights. */
const STATE = 'state.json';

/** Keeps an interest training's state; what was there before stays whole until this is. */
export async function writeCheckpoint(path: string, { tensors, ...state }: InterestCheckpoint): Promise<void> {
  const json = new TextEncoder().encode(JSON.stringify(state));
  const entries: [string, SafeTensor][] = [...tensors].map(([name, values]) => [name, { dtype: 'F32', shape: [values.length], values }]);
  await writeWhole(path, writeSafetensors([...entries, [STATE, { dtype: 'U8', shape: [json.length], values: json }]]));
}

/** The state that was kept, or undefined where there is none. */
export async function readCheckpoint(path: string): Promise<InterestCheckpoint | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  if (!bytes) return undefined;
  const stored = parseSafetensors(bytes);
  const state = JSON.parse(new TextDecoder().decode(stored.get(STATE)!.values)) as Omit<InterestCheckpoint, 'tensors'>;
  const tensors = new Map<string, Float32Array>();
  for (const [name, tensor] of stored) if (tensor.dtype === 'F32') tensors.set(name, tensor.values);
  return { ...state, tensors };
}

/** Written beside and moved into place, so that an interruption leaves the old file whole. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${path}.part`, bytes);
  await rename(`${path}.part`, path);
}
