import { fetchCandidates, fetchProduct } from '../shop/api.ts';
import { button, element } from '../shop/element.ts';
import { picture } from '../shop/picture.ts';
import { price } from '../shop/price.ts';
import { addresses } from '../shop/routes.ts';
import { createShelf } from '../shop/shelf.ts';
import type { Page, Shop } from '../shop/shop.ts';
import { missingPage } from './missing.ts';

const CANDIDATES = 500;
const MOST = 99;

export async function productPage(shop: Shop, id: string): Promise<Page> {
  const product = await fetchProduct(id);
  if (product === null) return missingPage('We no longer stock this piece.');
  const candidates = await fetchCandidates({ slot: 'product', item: [id], limit: CANDIDATES });
  void shop.session.track({ type: 'view', item: product });
  const shelf = createShelf(shop, { slot: 'product', heading: 'Goes well with it', note: 'What others put in the same basket, in your order', candidates, limit: 12, layout: 'grid' });

  const quantity = element('input', { type: 'number', min: 1, max: MOST, value: 1, 'aria-label': 'Quantity', inputmode: 'numeric' });
  const step = (by: number) => () => {
    quantity.value = String(Math.min(MOST, Math.max(1, (Number(quantity.value) || 1) + by)));
  };
  const less = button('', step(-1), '−');
  less.setAttribute('aria-label', 'One fewer');
  const more = button('', step(1), '+');
  more.setAttribute('aria-label', 'One more');
  const wish = button('wish', () => {
    wish.setAttribute('aria-pressed', 'true');
    wish.textContent = '♥ On your wish list';
    void shop.session.track({ type: 'wishlist', item: product });
  }, '♡ Add to wish list');

  const content = element(
    'div',
    {},
    element(
      'nav',
      { class: 'crumbs', 'aria-label': 'You are here' },
      element('a', { href: addresses.home() }, 'Home'),
      element('a', { href: addresses.department(product.category) }, product.category),
      element('span', { 'aria-current': 'page' }, product.title),
    ),
    element(
      'article',
      { class: 'product' },
      element('div', { class: 'gallery' }, picture(product, 'large')),
      element(
        'div',
        { class: 'product-words' },
        element('p', { class: 'eyebrow' }, product.category),
        element('h1', {}, product.title),
        element('p', { class: 'product-price' }, price(product.price)),
        element('p', { class: 'product-note' }, 'Price per piece, VAT included. In stock: ordered before four, sent today.'),
        element('div', { class: 'buy' }, element('div', { class: 'stepper' }, less, quantity, more), button('primary', () => shop.addToBasket(product, Math.min(MOST, Math.max(1, Math.floor(Number(quantity.value)) || 1))), 'Add to basket')),
        wish,
        element(
          'dl',
          { class: 'facts' },
          element('dt', {}, 'Item'),
          element('dd', {}, product.id),
          element('dt', {}, 'Delivery'),
          element('dd', {}, 'Free over £40, otherwise £3.95'),
          element('dt', {}, 'Returns'),
          element('dd', {}, 'Thirty days'),
        ),
      ),
    ),
    shelf.element,
  );
  return { title: `${product.title} · Marlow & Wren`, content, candidates, dispose: shelf.dispose };
}
