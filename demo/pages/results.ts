import type { PageContext } from 'shelfwise';
import { fetchCandidates, type ShopCandidate } from '../shop/api.ts';
import { element } from '../shop/element.ts';
import { addresses, slugOf } from '../shop/routes.ts';
import { createShelf } from '../shop/shelf.ts';
import type { Page, Shop } from '../shop/shop.ts';
import { missingPage } from './missing.ts';

const CANDIDATES = 500;
const PAGE = 24;

export async function searchPage(shop: Shop, query: string): Promise<Page> {
  const candidates = query === '' ? [] : await fetchCandidates({ slot: 'search', q: query, limit: CANDIDATES });
  if (query !== '') void shop.session.track({ type: 'search', query });
  const heading = query === '' ? 'What are you looking for?' : `“${query}”`;
  return results(shop, { heading, eyebrow: 'Search', candidates, context: { query }, shelfHeading: 'What we found', empty: 'Nothing by that name. Try a simpler word, or one of our departments.' });
}

export async function departmentPage(shop: Shop, slug: string): Promise<Page> {
  const department = shop.departments.find(({ name }) => slugOf(name) === slug);
  if (department === undefined) return missingPage('There is no such department.');
  const candidates = await fetchCandidates({ slot: 'search', category: department.name, limit: CANDIDATES });
  return results(shop, { heading: department.name, eyebrow: 'Department', candidates, context: { page: department.name }, shelfHeading: `Everything for you in ${department.name}`, empty: 'This department is being re-stocked.' });
}

interface Results {
  readonly heading: string;
  readonly eyebrow: string;
  readonly candidates: readonly ShopCandidate[];
  readonly empty: string;
  readonly shelfHeading: string;
  readonly context: PageContext;
}

function results(shop: Shop, { heading, eyebrow, candidates, empty, shelfHeading, context }: Results): Page {
  const count = candidates.length === 1 ? '1 product' : `${candidates.length} products`;
  const head = element('header', { class: 'results-head' }, element('p', { class: 'eyebrow' }, eyebrow), element('h1', {}, heading), element('p', {}, candidates.length === 0 ? empty : count));
  const others = element(
    'nav',
    { class: 'chips', 'aria-label': 'Departments' },
    ...shop.departments.filter(({ name }) => name !== heading).map(({ name }) => element('a', { href: addresses.department(name) }, name)),
  );
  const title = `${heading} · Marlow & Wren`;
  if (candidates.length === 0) return { title, content: element('div', {}, head, others), candidates, dispose: () => undefined };
  const shelf = createShelf(shop, { slot: 'search', heading: shelfHeading, candidates, limit: PAGE, more: PAGE, layout: 'grid', context });
  return { title, content: element('div', {}, head, others, shelf.element), candidates, dispose: shelf.dispose };
}
