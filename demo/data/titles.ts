/**
 * The warehouse wrote titles for its own staff: upper case, cut at 35 characters, full of abbreviations.
 * A shopper reads words, and so does a text encoder: both get what `readableTitle` makes.
 */

/** Whole phrases, before words are looked at; the warehouse's spelling on the left. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/^\*/, ''],
  [/["“”]/g, '"'],
  [/(\d)"\s*/g, '$1 INCH '],
  [/\bNECKL\.?\s?(\d+) INCH\s?/g, '$1 INCH NECKLACE '],
  [/\b(\d+) INCH\s?NECKL\.?(?=\s|$)/g, '$1 INCH NECKLACE'],
  [/\bNECKL(?:AC)?(?=\s|\.|$)\.?/g, 'NECKLACE'],
  [/\bA,B,C\b/g, 'ABC'],
  [/\bANT WHITE\b/g, 'ANTIQUE WHITE'],
  [/\bBLACK DIA$/g, 'BLACK DIAMOND'],
  [/\bBLACKCHRISTMAS\b/g, 'BLACK CHRISTMAS'],
  [/\bM\.O\.P\b\.?|\bMOP\b/g, 'MOTHER-OF-PEARL'],
  [/\bD\.O\.F\. ?/g, ''],
  [/\bB'FLY\b/g, 'BUTTERFLY'],
  [/\bP'WEIGHT\b/g, 'PAPERWEIGHT'],
  [/\bB'DRAW\b/g, 'BEDSIDE DRAWER'],
  [/\bSIL'T\b/g, 'SILHOUETTE'],
  [/\bC\/COVER\b/g, 'CUSHION COVER'],
  [/\bM\/COLOUR\b/g, 'MULTICOLOUR'],
  [/\bBLK\/WHIT\b/g, 'BLACK/WHITE'],
  [/\bBLUE\/NAT\b/g, 'BLUE/NATURAL'],
  [/\bSILVER\/NAT\b/g, 'SILVER/NATURAL'],
  [/\bINCENSE\/CANDL?E?\b/g, 'INCENSE/CANDLE'],
  [/\bLT\.?\s?(?=BLUE|PINK|ROSE|GREEN)/g, 'LIGHT '],
  [/\bS(?:ET)?\/(\d+)\b/g, 'SET OF $1'],
  [/\bSET\s?(\d+)\b/g, 'SET OF $1'],
  [/\bSET OF(\d+)\b/g, 'SET OF $1'],
  [/\bPACK\/(\d+)\b/gi, 'PACK OF $1'],
  [/\bBOX\/(\d+)\b/g, 'BOX OF $1'],
  [/\bASS COL\b/g, 'ASSORTED COLOUR'],
  [/\bW\/SUCK\b.*/g, 'WITH SUCKERS'],
  [/\bW\/KNIF\b.*/g, 'WITH KNIFE'],
  [/\bW\/CHIME\b/g, 'WITH CHIME'],
  [/\bUBO-LIGHT\b/g, 'TURBO-LIGHT'],
  [/\bCHARLIE ?\+ ?LOLA/g, 'CHARLIE AND LOLA'],
  [/\bCHARLIE AND LOLA"/g, 'CHARLIE AND LOLA "'],
  [/\bNo$/g, ''],
  // The greeting cards carry the artist's drawing number, which tells a shopper nothing.
  [/ 1[67]\d{3}$/g, ''],
  [/(\d)(?:CM)?X(?=\d)/gi, '$1 x '],
  [/(\d)\s?(CM|MM|PC)\b/gi, '$1 $2'],
  [/(\w)\(/g, '$1 ('],
  [/(\d)LIGHT\b/g, '$1 LIGHT'],
  [/\s*\+\s*/g, ' & '],
  [/\s*,\s*/g, ', '],
  [/\s*\.\s*$/g, ''],
  [/DECO\.WHITE/g, 'DECORATION WHITE'],
  [/,\s*$/g, ''],
  [/\(POINTED EDGE\)?/g, '(POINTED EDGE)'],
];

const WORDS: Readonly<Record<string, string>> = {
  ASS: 'ASSORTED', ASST: 'ASSORTED', ASSTD: 'ASSORTED', COL: 'COLOUR', DES: 'DESIGN', DEC: 'DECORATION', DECO: 'DECORATION', RND: 'ROUND',
  SQU: 'SQUARE', MED: 'MEDIUM', TURQ: 'TURQUOISE', TURQUOIS: 'TURQUOISE', WHT: 'WHITE', BLK: 'BLACK', FUSCHIA: 'FUCHSIA', ARTIIFCIAL: 'ARTIFICIAL', BUDAH: 'BUDDHA',
  FLOWE: 'FLOWER', GARLD: 'GARLAND', SKIPPPING: 'SKIPPING', CHILDRENS: "CHILDREN'S", CHILDS: "CHILD'S", JEWELED: 'JEWELLED', TASSLE: 'TASSEL', SUCTIO: 'SUCTION', STR: 'STRING',
  DOILEY: 'DOILY', DOILEYS: 'DOILIES', NECKLAC: 'NECKLACE', BRACELE: 'BRACELET', EARRING: 'EARRINGS', STRIPEY: 'STRIPY', CHOC: 'CHOCOLATE', DIA: 'DIAMETER',
  TRAVELING: 'TRAVELLING', AEROPLANE: 'AEROPLANE', SCANDANAVIAN: 'SCANDINAVIAN', XMAS: 'CHRISTMAS', CANDLEHOLDER: 'CANDLE HOLDER', LTRS: 'LETTERS', W: 'WITH', 'W/': 'WITH',
  LOLIPOP: 'LOLLIPOP', HOLDE: 'HOLDER', SEWNG: 'SEWING', ORNAMENT: 'ORNAMENT', HLDR: 'HOLDER', TLIGHT: 'T-LIGHT', TEALIGHT: 'T-LIGHT', CHRYSANTEMUM: 'CHRYSANTHEMUM',
};

/** Written as they are. */
const EXACT: Readonly<Record<string, string>> = {
  'T-LIGHT': 'T-Light', TV: 'TV', CD: 'CD', LED: 'LED', USB: 'USB', UK: 'UK', USA: 'USA', US: 'US', VIP: 'VIP', WC: 'WC', ABC: 'ABC', '3D': '3D', A4: 'A4', A5: 'A5', A6: 'A6', A7: 'A7', DOLLY: 'Dolly',
  CM: 'cm', MM: 'mm', PC: 'piece', 'D\'AZURE': "d'Azure", IPOD: 'iPod', "50'S": '50s', "70'S": '70s', '25W': '25 W', SUKI: 'Suki', X: 'x', II: 'II', DIY: 'DIY', LP: 'LP', G: 'g',
};

/** What a title that was cut at 35 characters may end with, and should not. */
const LOOSE_ENDS = new Set(['a', 'and', 'for', 'of', 'the', 'with', '&']);

const SMALL = new Set(['a', 'an', 'and', 'as', 'at', 'but', 'by', 'de', 'du', 'en', 'for', 'from', 'in', 'la', 'le', 'les', 'of', 'on', 'or', 'the', 'to', 'with']);

/** A warehouse title as a shop writes it: "S/4 T-LIGHT HOLDER W PINK HEARTS" -> "Set of 4 T-Light Holder with Pink Hearts". */
export function readableTitle(warehouse: string): string {
  let text = warehouse.trim().replace(/(\d+(?:\.\d+)?)g\b/g, '$1 g');
  for (const [pattern, replacement] of PHRASES) text = text.replace(pattern, replacement);
  const words = text.split(/\s+/).filter(Boolean).map((word, position) => wordOf(word, position));
  // A title that was cut in the middle of "… WITH" or "… AND" reads better without the loose end.
  while (words.length > 2 && LOOSE_ENDS.has(words.at(-1)!.toLowerCase())) words.pop();
  const title = words.join(' ');
  return title.charAt(0).toUpperCase() + title.slice(1);
}

function wordOf(word: string, position: number): string {
  return word
    .split(/(?<=[/\-&"(])|(?=[/\-&,")!?])/)
    .map((part, index, parts) => (parts[index - 1]?.endsWith('"') ? capital(part) : partOf(part, index > 0 ? Math.max(index, position) : position)))
    .join('');
}

function partOf(part: string, position: number): string {
  const upper = part.toUpperCase();
  const spelled = WORDS[upper] ?? upper;
  const exact = EXACT[spelled];
  if (exact !== undefined) return exact;
  if (/^\d/.test(part)) return part.toLowerCase();
  return spelled
    .split(' ')
    .map((one) => {
      const lower = one.toLowerCase();
      return position > 0 && SMALL.has(lower) ? lower : capital(lower);
    })
    .join(' ');
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}

/** What staff typed where a title belongs, and services that were sold as if they were things. */
const NOTES =
  /^(\W*|check(ed)?|found|lost|missing|damaged?s?|display|wet|rusty|mouldy|broken|crushed|smashed|faulty|returned|counted|test|samples?|mailout|barcode problem|(next day )?carriage|high resolution image)\W*$|wrong(ly)?\b|\bthrow(n)? away|unsaleable|\bsold as\b|adjust|amazon|\bebay\b|dotcom|voucher|postage|\bmanual$|\bcharges\b/i;

/** Whether a warehouse title names a product, not a clerk's note ("?", "damaged", "wrong code") or a service. */
export function isProductTitle(warehouse: string): boolean {
  const title = warehouse.trim();
  return /[A-Za-z]{3}/.test(title) && !NOTES.test(title);
}

/** Whether a folded code is a product's, not that of postage, discounts, fees, samples, vouchers or pads sold for a penny. */
export function isProductCode(code: string): boolean {
  return /^(\d{5}[A-Z]{0,2}|DCGS[A-Z0-9]+)$/.test(code);
}
