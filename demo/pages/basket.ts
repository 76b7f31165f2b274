import { fetchCandidates, type ShopCandidate } from '../shop/api.ts';
import type { BasketLine } from '../shop/basket.ts';
import { button, element } from '../shop/element.ts';
import { picture } from '../shop/picture.ts';
import { price } from '../shop/price.ts';
import { addresses } from '../shop/routes.ts';
import { createShelf, type Shelf } from '../shop/shelf.ts';
import type { Page, Shop } from '../shop/shop.ts';

const CANDIDATES = 500;
const FREE_DELIVERY = 40;
const DELIVERY = 3.95;

export async function basketPage(shop: Shop): Promise<Page> {
  const { basket, session } = shop;
  const box = element('div', { class: 'basket' });
  const below = element('div', {});
  let shelf: Shelf | null = null;
  let candidates: readonly ShopCandidate[] = [];
  let stopped = false;

  /** A shelf for what is in the basket now. */
  async function fillShelf(): Promise<void> {
    const item = basket.lines.map(({ product }) => product.id);
    const found = await fetchCandidates({ slot: 'basket', item, limit: CANDIDATES });
    if (stopped || item.join() !== basket.lines.map(({ product }) => product.id).join()) return;
    shelf?.dispose();
    candidates = found;
    shelf = createShelf(shop, { slot: 'basket', heading: 'You may also like', note: 'Often in the same basket', candidates, limit: 12, layout: 'grid' });
    below.replaceChildren(shelf.element);
  }

  function showLines(): void {
    if (basket.lines.length === 0) {
      box.replaceChildren(element('div', { class: 'empty' }, element('p', {}, 'Your basket is empty.'), element('a', { class: 'primary', href: addresses.home() }, 'Have a look around')));
      return;
    }
    box.replaceChildren(element('ul', { class: 'lines' }, ...basket.lines.map((line) => lineOf(shop, line))), summary());
  }

  function summary(): HTMLElement {
    const goods = basket.lines.reduce((sum, { product, quantity }) => sum + product.price * quantity, 0);
    const delivery = goods >= FREE_DELIVERY ? 0 : DELIVERY;
    return element(
      'aside',
      { class: 'summary' },
      element('dl', {}, element('dt', {}, 'Goods'), element('dd', {}, price(goods)), element('dt', {}, 'Delivery'), element('dd', {}, delivery === 0 ? 'free' : price(delivery)), element('dt', { class: 'total' }, 'Total'), element('dd', { class: 'total' }, price(goods + delivery))),
      button('primary', checkOut, 'Check out'),
      element('p', { class: 'small' }, 'A demo: nothing is charged and nothing is sent. The purchase is noted on your device if you allowed that.'),
    );
  }

  function checkOut(): void {
    for (const { product, quantity } of basket.lines) void session.track({ type: 'purchase', item: product, value: quantity });
    basket.clear();
    box.replaceChildren(element('div', { class: 'empty' }, element('h2', {}, 'Thank you!'), element('p', {}, 'Your parcel would be on its way.'), element('a', { class: 'primary', href: addresses.home() }, 'Keep looking')));
  }

  const stop = basket.onChange(() => {
    showLines();
    void fillShelf();
  });
  showLines();
  await fillShelf();
  return {
    title: 'Your basket · Marlow & Wren',
    content: element('div', {}, element('header', { class: 'results-head' }, element('p', { class: 'eyebrow' }, 'Marlow & Wren'), element('h1', {}, 'Your basket')), box, below),
    get candidates() {
      return candidates;
    },
    dispose: () => {
      stopped = true;
      stop();
      shelf?.dispose();
    },
  };
}

function lineOf(shop: Shop, { product, quantity }: BasketLine): HTMLElement {
  const change = (next: number): void => {
    if (next < quantity) void shop.session.track({ type: 'remove', item: product, value: quantity - next });
    else void shop.session.track({ type: 'cart', item: product, value: next - quantity });
    shop.basket.set(product, next);
  };
  const less = button('', () => change(quantity - 1), '−');
  less.setAttribute('aria-label', `One ${product.title} fewer`);
  const more = button('', () => change(quantity + 1), '+');
  more.setAttribute('aria-label', `One ${product.title} more`);
  return element(
    'li',
    { class: 'line' },
    element('a', { href: addresses.product(product.id), class: 'line-art', tabindex: -1, 'aria-hidden': 'true' }, picture(product)),
    element('div', { class: 'line-words' }, element('a', { href: addresses.product(product.id) }, product.title), element('span', { class: 'small' }, `${price(product.price)} each`), button('text-button', () => change(0), 'Remove')),
    element('div', { class: 'stepper' }, less, element('output', {}, String(quantity)), more),
    element('strong', { class: 'line-price' }, price(product.price * quantity)),
  );
}
