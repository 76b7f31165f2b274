import { MOTIFS, THINGS } from './picture-phrases.ts';

const ICONS = Object.keys(THINGS);
/** All phrases of all icons, in order; their vectors decide. */
export const PHRASES: readonly string[] = ICONS.flatMap((icon) => THINGS[icon]!);
const PHRASE_ICON = ICONS.flatMap((icon) => THINGS[icon]!.map(() => icon));

/** What a product shows: the thing, and beside it what the title says is on it. */
export interface Picture {
  readonly thing: string;
  readonly motif: string | null;
}

/** The icon whose phrase is nearest to the product's text vector. @param vectors unit rows, [items · dimensions]; `phrases` likewise */
export function choosePictures(titles: readonly string[], vectors: Float32Array, phrases: Float32Array, dimensions: number): Picture[] {
  return titles.map((title, item) => {
    let thing = ICONS[0]!;
    let best = -Infinity;
    for (let phrase = 0; phrase < PHRASE_ICON.length; phrase++) {
      let likeness = 0;
      for (let d = 0; d < dimensions; d++) likeness += vectors[item * dimensions + d]! * phrases[phrase * dimensions + d]!;
      if (likeness > best) [best, thing] = [likeness, PHRASE_ICON[phrase]!];
    }
    return { thing, motif: MOTIFS.find(([words, icon]) => isAnother(icon, thing) && words.test(title))?.[1] ?? null };
  });
}

/** A heart beside a heart says nothing more. */
function isAnother(icon: string, thing: string): boolean {
  return icon !== thing && icon.split('-').at(-1) !== thing.split('-')[0];
}
