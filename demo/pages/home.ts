import { fetchCandidates } from '../shop/api.ts';
import { element } from '../shop/element.ts';
import { icon } from '../shop/picture.ts';
import { addresses } from '../shop/routes.ts';
import { createShelf } from '../shop/shelf.ts';
import type { Page, Shop } from '../shop/shop.ts';

/** Icons on the departments' tiles. */
const TILES: Readonly<Record<string, string>> = {
  Christmas: 'christmas-tree',
  'Kitchen & Baking': 'cupcake',
  'Tea & Tableware': 'teapot',
  'Candles & Fragrance': 'candle',
  Lighting: 'light-bulb',
  'Garden & Outdoors': 'potted-plant',
  'Jewellery & Accessories': 'gem-stone',
  'Bags & Travel': 'handbag',
  'Cards & Stationery': 'love-letter',
  'Gift Wrap & Ribbon': 'wrapped-gift',
};

/** The best sellers of one department fill a shelf of their own. */
const DEPARTMENT_SHELVES = [
  { category: 'Christmas', heading: 'Trimming the tree', note: 'Baubles, stars and a little glitter' },
  { category: 'Tea & Tableware', heading: 'For the tea table', note: 'Pots, cups and cake stands' },
  { category: 'Bags & Travel', heading: 'Out and about', note: 'Bags for lunch, shopping and everything else' },
] as const;

const HOME_CANDIDATES = 500;
const DEPARTMENT_CANDIDATES = 100;

export async function homePage(shop: Shop): Promise<Page> {
  const [main, ...departments] = await Promise.all([
    fetchCandidates({ slot: 'home', limit: HOME_CANDIDATES }),
    ...DEPARTMENT_SHELVES.map(({ category }) => fetchCandidates({ slot: 'search', category, limit: DEPARTMENT_CANDIDATES })),
  ]);
  const shelves = [
    createShelf(shop, { slot: 'home', heading: 'Picked for today', note: 'It arranges itself as you look around', candidates: main, limit: 12, layout: 'grid' }),
    ...DEPARTMENT_SHELVES.map(({ heading, note }, index) =>
      createShelf(shop, { slot: 'search', heading, note, candidates: departments[index] ?? [], limit: 6, layout: 'row' }),
    ),
  ];
  const tiles = Object.entries(TILES)
    .filter(([name]) => shop.departments.some((department) => department.name === name))
    .map(([name, image]) => element('a', { class: 'tile', href: addresses.department(name) }, icon(image, 'tile-icon', 'large'), element('span', {}, name)));
  return {
    title: 'Marlow & Wren · gifts and homeware',
    content: element('div', {}, hero(), element('nav', { class: 'tiles', 'aria-label': 'Departments' }, ...tiles), ...shelves.map((shelf) => shelf.element), promises()),
    candidates: main,
    dispose: () => {
      for (const shelf of shelves) shelf.dispose();
    },
  };
}

function hero(): HTMLElement {
  return element(
    'section',
    { class: 'hero' },
    element(
      'div',
      { class: 'hero-words' },
      element('p', { class: 'eyebrow' }, 'The winter collection'),
      element('h1', {}, 'Small things that make a house feel like home'),
      element('p', {}, 'Three thousand gifts, candles and curiosities, chosen with care and sent from our warehouse the same day.'),
      element('div', { class: 'hero-links' }, element('a', { class: 'primary', href: addresses.department('Christmas') }, 'Shop Christmas'), element('a', { class: 'secondary', href: addresses.search('gift') }, 'Find a gift')),
    ),
    element('div', { class: 'hero-art', 'aria-hidden': 'true' }, ...['christmas-tree', 'candle', 'teapot', 'wrapped-gift', 'bird', 'red-heart'].map((name, index) => icon(name, `hero-icon hero-icon-${index}`, 'large'))),
  );
}

function promises(): HTMLElement {
  const all = [
    ['Free delivery over £40', 'Royal Mail, two to three days'],
    ['Thirty days to return', 'No questions, and the postage is on us'],
    ['Your browsing stays yours', 'Shelves are arranged on your own device'],
  ] as const;
  return element('section', { class: 'promises' }, ...all.map(([promise, detail]) => element('div', {}, element('strong', {}, promise), element('span', {}, detail))));
}
