/** A department of the shop, and the phrases whose vectors it starts from. */
export interface Department {
  readonly name: string;
  readonly seeds: readonly string[];
}

/** The shop's departments, in the order of its menu. */
export const DEPARTMENTS: readonly Department[] = [
  { name: 'Christmas', seeds: ['christmas tree decoration', 'christmas bauble', 'advent calendar', 'santa stocking', 'reindeer and snowman ornament', 'christmas garland', 'nativity', 'christmas cards', 'wooden star christmas', 'jingle bells'] },
  { name: 'Kitchen & Baking', seeds: ['cake cases', 'baking mould', 'measuring spoons', 'apron', 'oven glove', 'rolling pin', 'mixing bowl', 'recipe box', 'kitchen scales', 'cookie cutters', 'jam jar', 'jam making set', 'chopping board', 'tea towel', 'bread bin', 'egg frying pan'] },
  { name: 'Tea & Tableware', seeds: ['teacup and saucer', 'teapot', 'mug', 'cake stand', 'plate', 'bowl', 'milk jug', 'coaster', 'placemat', 'cutlery set', 'glass bottle', 'wine glass', 'coffee cup', 'sugar bowl', 'tray', 'tea cosy', 'water jug'] },
  { name: 'Candles & Fragrance', seeds: ['t-light holder', 'scented candle', 'incense sticks', 'candle holder', 'candlestick', 'votive candle', 'room scent', 'oil burner', 'pillar candle', 'candle plate'] },
  { name: 'Lighting', seeds: ['fairy lights', 'night light', 'lantern', 'lampshade', 'table lamp', 'chandelier', 'string of lights', 'led torch', 'light garland'] },
  { name: 'Garden & Outdoors', seeds: ['watering can', 'garden gloves', 'bird feeder', 'plant pot', 'garden kneeling pad', 'herb marker', 'seeds to grow', 'wind chime', 'parasol', 'hammock', 'picnic basket', 'birdhouse', 'garden spade and rake', 'thermometer', 'planter', 'umbrella'] },
  { name: 'Jewellery & Accessories', seeds: ['necklace', 'bracelet', 'earrings', 'ring', 'hair clip', 'brooch', 'hair grip', 'pendant', 'key ring charm', 'phone charm', 'hair comb', 'bag charm', 'sunglasses', 'scarf'] },
  { name: 'Bags & Travel', seeds: ['shopping bag', 'jumbo bag', 'lunch bag', 'handbag', 'purse', 'luggage tag', 'passport cover', 'backpack', 'shoulder bag', 'tote bag', 'travel card wallet', 'washbag', 'suitcase'] },
  { name: 'Cards & Stationery', seeds: ['greeting card', 'notebook', 'pencils', 'pen', 'birthday card', 'stickers', 'sketchbook', 'writing set', 'eraser and ruler', 'playing cards', 'postcards', 'photo album', 'calendar', 'rubber stamp', 'letter rack'] },
  { name: 'Gift Wrap & Ribbon', seeds: ['gift wrap', 'wrapping paper', 'gift bag', 'ribbon reel', 'gift tags', 'tissue paper', 'ribbons', 'gift tape', 'roll wrap', 'gift boxes'] },
  { name: 'Party', seeds: ['party bunting', 'paper cups', 'balloons', 'paper plates', 'birthday party bag', 'paper napkins', 'party invites', 'confetti', 'paper chain', 'drinking straws', 'paper bunting', 'cake candles'] },
  { name: 'Toys & Children', seeds: ['doll', 'skittles', 'childrens toy', 'jigsaw puzzle', 'soft toy', 'teddy bear', 'wooden toy', 'childrens mug', 'spinning top', 'dominoes game', 'magic drawing slate', 'playhouse', 'money box', 'robot', 'baby bib', 'colouring set'] },
  { name: 'Craft & Sewing', seeds: ['sewing kit', 'knitting kit', 'felt craft kit', 'sewing box', 'fabric squares', 'buttons', 'pin cushion', 'iron-on patches', 'make your own craft', 'wool pom pom', 'paper craft', 'embroidery'] },
  { name: 'Signs & Wall Art', seeds: ['metal sign', 'wall art', 'door sign', 'wooden letter', 'number tile', 'wall plaque', 'blackboard', 'door number', 'poster', 'home block letters', 'memo board', 'message chalkboard', 'fridge magnets'] },
  { name: 'Frames & Clocks', seeds: ['photo frame', 'picture frame', 'wall mirror', 'alarm clock', 'wall clock', 'hanging frames', 'mirror', 'triple frame', 'trinket box mirror'] },
  { name: 'Hooks & Storage', seeds: ['storage tin', 'coat hooks', 'wicker basket', 'storage box', 'chest of drawers', 'wall cabinet', 'hook hanger', 'shelf', 'drawer knob', 'coat rack', 'storage jar', 'toy box', 'laundry basket', 'magazine rack', 'folding chair', 'stool'] },
  { name: 'Cushions & Textiles', seeds: ['cushion cover', 'doormat', 'quilt', 'curtain', 'throw blanket', 'table cloth', 'cushion', 'fleece', 'doorstop', 'draught excluder', 'padded hanger', 'rug', 'slippers'] },
  { name: 'Bath & Wellbeing', seeds: ['soap', 'bath salts', 'hot water bottle', 'hand warmer', 'towel', 'bath sponge', 'soap dish', 'flannel', 'lip balm', 'tissues', 'plasters in tin', 'bathroom set', 'manicure set', 'shower cap', 'toothbrush'] },
  { name: 'Decorations & Ornaments', seeds: ['hanging heart decoration', 'artificial flower', 'ornament', 'vase', 'feather butterfly decoration', 'trinket pot', 'figurine', 'hanging decoration', 'wicker heart', 'glass ornament', 'wreath', 'zinc heart decoration', 'bell'] },
  { name: 'Easter & Spring', seeds: ['easter egg', 'easter bunny', 'easter chick', 'hanging hen decoration', 'easter basket', 'spring flower decoration', 'rabbit easter', 'painted eggs'] },
];

const ROUNDS = 6;
/** A seed keeps this share of its department's centre, so that a department stays what its name says. */
const SEED_SHARE = 0.5;

/**
 * Gives every product a department: spherical k-means that starts from, and is held by, the departments' own phrases.
 * @param vectors unit rows, [items · dimensions]; `seeds` likewise, for all phrases of all departments in order
 * @returns the index of a department per item
 */
export function assignDepartments(vectors: Float32Array, seeds: Float32Array, dimensions: number): Int32Array {
  const items = vectors.length / dimensions;
  const seedCentres = centresOf(
    seeds,
    Int32Array.from(DEPARTMENTS.flatMap(({ seeds: phrases }, department) => phrases.map(() => department))),
    dimensions,
  );
  let labels: Int32Array = new Int32Array(items);
  // A product is like one phrase ("mug") more than like the average of all: begin with the nearest phrase.
  const phraseDepartment = DEPARTMENTS.flatMap(({ seeds: phrases }, department) => phrases.map(() => department));
  for (let item = 0; item < items; item++) labels[item] = phraseDepartment[nearest(vectors, item, seeds, dimensions)]!;
  const seedLikeness = Float32Array.from({ length: items * DEPARTMENTS.length }, (_, cell) => bestOfDepartment(vectors, Math.floor(cell / DEPARTMENTS.length), seeds, cell % DEPARTMENTS.length, dimensions)); // [items, departments]
  for (let round = 0; round < ROUNDS; round++) {
    const centres = centresOf(vectors, labels, dimensions);
    for (let i = 0; i < centres.length; i++) centres[i] = centres[i]! * (1 - SEED_SHARE) + seedCentres[i]! * SEED_SHARE;
    normalise(centres, dimensions);
    const next = new Int32Array(items);
    for (let item = 0; item < items; item++) {
      let best = -Infinity;
      for (let department = 0; department < DEPARTMENTS.length; department++) {
        const likeness = dot(vectors, item, centres, department, dimensions) + seedLikeness[item * DEPARTMENTS.length + department]!;
        if (likeness > best) {
          best = likeness;
          next[item] = department;
        }
      }
    }
    labels = next;
  }
  return labels;
}

const phraseStarts = DEPARTMENTS.reduce<number[]>((starts, { seeds }) => [...starts, starts.at(-1)! + seeds.length], [0]);

function bestOfDepartment(vectors: Float32Array, item: number, seeds: Float32Array, department: number, dimensions: number): number {
  let best = -1;
  for (let phrase = phraseStarts[department]!; phrase < phraseStarts[department + 1]!; phrase++) {
    best = Math.max(best, dot(vectors, item, seeds, phrase, dimensions));
  }
  return best;
}

function nearest(vectors: Float32Array, row: number, others: Float32Array, dimensions: number): number {
  let best = 0;
  let bestLikeness = -Infinity;
  for (let other = 0; other < others.length / dimensions; other++) {
    const likeness = dot(vectors, row, others, other, dimensions);
    if (likeness > bestLikeness) [best, bestLikeness] = [other, likeness];
  }
  return best;
}

function centresOf(rows: Float32Array, labels: Int32Array, dimensions: number): Float32Array {
  const centres = new Float32Array(DEPARTMENTS.length * dimensions); // [departments, dimensions]
  labels.forEach((label, row) => {
    for (let d = 0; d < dimensions; d++) centres[label * dimensions + d]! += rows[row * dimensions + d]!;
  });
  return normalise(centres, dimensions);
}

function normalise(rows: Float32Array, dimensions: number): Float32Array {
  for (let start = 0; start < rows.length; start += dimensions) {
    const norm = Math.hypot(...rows.subarray(start, start + dimensions)) || 1;
    for (let d = start; d < start + dimensions; d++) rows[d]! /= norm;
  }
  return rows;
}

function dot(a: Float32Array, rowA: number, b: Float32Array, rowB: number, dimensions: number): number {
  let sum = 0;
  for (let d = 0; d < dimensions; d++) sum += a[rowA * dimensions + d]! * b[rowB * dimensions + d]!;
  return sum;
}
