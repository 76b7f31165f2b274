import type { Product } from './api.ts';
import { element } from './element.ts';

/** Hue and saturation of a department's paper, where the title names no colour. */
const DEPARTMENT_PAPER: Readonly<Record<string, readonly [number, number]>> = {
  Christmas: [352, 48],
  'Kitchen & Baking': [36, 62],
  'Tea & Tableware': [200, 38],
  'Candles & Fragrance': [28, 58],
  Lighting: [46, 66],
  'Garden & Outdoors': [98, 34],
  'Jewellery & Accessories': [268, 30],
  'Bags & Travel': [214, 40],
  'Cards & Stationery': [186, 34],
  'Gift Wrap & Ribbon': [338, 46],
  Party: [318, 40],
  'Toys & Children': [50, 66],
  'Craft & Sewing': [288, 28],
  'Signs & Wall Art': [172, 28],
  'Frames & Clocks': [24, 34],
  'Hooks & Storage': [80, 26],
  'Cushions & Textiles': [232, 32],
  'Bath & Wellbeing': [178, 40],
  'Decorations & Ornaments': [8, 46],
  'Easter & Spring': [64, 48],
};

const COLOURS: readonly (readonly [RegExp, number, number])[] = [
  [/\b(red|ruby|cherry)\b/i, 356, 58],
  [/\b(pink|rose|fuchsia)\b/i, 338, 58],
  [/\b(orange|amber)\b/i, 26, 70],
  [/\b(yellow|gold|lemon)\b/i, 46, 70],
  [/\b(green|olive|mint|jade)\b/i, 122, 30],
  [/\b(turquoise|teal|aqua|eau de nil)\b/i, 178, 42],
  [/\b(blue|navy)\b/i, 212, 50],
  [/\b(purple|lilac|amethyst|lavender)\b/i, 276, 40],
  [/\b(black|grey|silver|zinc|slate|charcoal)\b/i, 220, 8],
  [/\b(white|ivory|cream|natural|antique|wicker|wooden|wood)\b/i, 38, 34],
];

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(retrospot|polka ?dot|spots?|spotty|dots?)\b/i, 'dots'],
  [/\b(gingham|check|tartan)\b/i, 'gingham'],
  [/\b(strip(e|es|y|ey)|striped|airline)\b/i, 'stripes'],
  [/\b(regency|baroque|paisley|damask|lace|doily|filigree)\b/i, 'tiles'],
];

/** A product's picture: its icon, and what is on it, on paper in the product's own colour and pattern. */
export function picture({ id, title, category, picture: [thing = 'wrapped-gift', motif] }: Product, size: 'card' | 'large' = 'card'): HTMLElement {
  const [hue, saturation] = COLOURS.find(([words]) => words.test(title))?.slice(1) ?? DEPARTMENT_PAPER[category] ?? [40, 30];
  const pattern = PATTERNS.find(([words]) => words.test(title))?.[1] ?? 'plain';
  const number = hash(id);
  const box = element('div', { class: `art art-${pattern} art-${size}` });
  box.style.setProperty('--hue', String(hue));
  box.style.setProperty('--saturation', `${saturation}%`);
  box.style.setProperty('--turn', `${(number % 13) - 6}deg`);
  box.style.setProperty('--glow-x', `${20 + (number % 61)}%`);
  box.append(icon(thing, 'art-thing', size));
  if (motif !== undefined) box.append(icon(motif, 'art-motif', size));
  return box;
}

/** One icon; decoration, since the title stands beside it. */
export function icon(name: string, className: string, size: 'card' | 'large' = 'card'): HTMLImageElement {
  return element('img', { class: className, src: `/pictures/${name}.svg`, alt: '', width: 96, height: 96, decoding: 'async', loading: size === 'large' ? 'eager' : 'lazy', draggable: 'false' });
}

/** FNV-1a: the same paper for the same product on every visit. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 0x01000193);
  return value >>> 0;
}
