import { parseSafetensors } from '../../../src/lib/safetensors.ts';
import { floatTensor } from '../../../src/packs/pack-tensors.ts';
import { seededValues } from '../../../test/helpers/device-programs.ts';

declare global {
  /** The first useful answer: scores, and milliseconds since the navigation began. */
  var answer: { readonly scores: readonly number[]; readonly milliseconds: number };
}

const STEPS = 10;
const INPUT = 64;

/** What the shopper did lately, as the LSTM reads it: it is in the page, not in the model. */
export const HISTORY = { values: seededValues(STEPS * INPUT, 2, 11), shape: [STEPS, INPUT] as const };

/** Says that the page has its answer. */
export function finish(scores: Float32Array): void {
  globalThis.answer = { milliseconds: performance.now(), scores: [...scores] };
}

/** The model of the cold pages, fetched: an LSTM, and the items that its state is compared with. */
export async function fetchModel() {
  const bytes = new Uint8Array(await (await fetch('/cold/model.safetensors')).arrayBuffer());
  const tensors = parseSafetensors(bytes);
  const get = (name: string): { values: Float32Array; shape: readonly number[] } => {
    const { shape } = tensors.get(name)!;
    return { values: floatTensor(tensors, name, shape), shape };
  };
  return { inputWeights: get('inputWeights'), hiddenWeights: get('hiddenWeights'), bias: get('bias'), items: get('items') };
}

export type ColdModel = Awaited<ReturnType<typeof fetchModel>>;
