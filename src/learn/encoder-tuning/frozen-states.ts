import type { Device } from '../../compute/device.ts';
import { Bert } from '../../encoder/bert.ts';
import { bertTensors, dimsOf } from '../../encoder/encoder-files.ts';
import type { Pack } from '../../packs/pack.ts';

/** Texts that a device computes at once. */
const SLICE = 32;

/**
 * Hidden states of each text's tokens after all of the encoder's layers but the last `tuned`, [length, hidden] each: those layers stay
 * as they are, so each text goes through them once and not at each step.
 */
export async function frozenStates(pack: Pack, device: Device, texts: readonly (readonly number[])[], tuned: number): Promise<Float32Array[]> {
  const dims = dimsOf(pack);
  const bert = new Bert(device, bertTensors(pack), { ...dims, layers: dims.layers - tuned });
  const states: Float32Array[] = [];
  for (let start = 0; start < texts.length; start += SLICE) {
    const slice = texts.slice(start, start + SLICE);
    const all = await bert.hiddenStates(slice); // [tokens, hidden]
    let at = 0;
    for (const { length } of slice) states.push(all.slice(at, (at += length * dims.hidden)));
  }
  bert.dispose();
  return states;
}
