import type { Department } from './api.ts';
import type { Basket } from './basket.ts';
import { element } from './element.ts';
import { addresses } from './routes.ts';

export interface Frame {
  readonly element: HTMLElement;
  readonly main: HTMLElement;
  /** Marks where we are, and what was searched. */
  setPlace(path: string, query: string): void;
}

/** What stands around every page: the name, the search, the departments, the basket, the small print. */
export function createFrame({ basket, departments, navigate }: { basket: Basket; departments: readonly Department[]; navigate: (address: string) => void }): Frame {
  const field = element('input', { type: 'search', name: 'q', placeholder: 'Search for a present…', 'aria-label': 'Search', autocomplete: 'off', enterkeyhint: 'search', maxlength: 120 });
  const search = element('form', { class: 'search', role: 'search', action: '/search' }, field, element('button', { type: 'submit', 'aria-label': 'Search' }, magnifier()));
  search.addEventListener('submit', (event) => {
    event.preventDefault();
    if (field.value.trim() !== '') navigate(addresses.search(field.value.trim()));
  });
  const count = element('span', { class: 'count' });
  const basketLink = element('a', { class: 'basket-link', href: addresses.basket() }, basketIcon(), element('span', { class: 'basket-word' }, 'Basket'), count);
  const showCount = (): void => {
    const pieces = basket.lines.reduce((sum, { quantity }) => sum + quantity, 0);
    count.textContent = String(pieces);
    count.dataset.empty = String(pieces === 0);
    basketLink.setAttribute('aria-label', `Basket, ${pieces} ${pieces === 1 ? 'piece' : 'pieces'}`);
  };
  basket.onChange(showCount);
  showCount();
  const links = departments.map(({ name }) => element('a', { href: addresses.department(name) }, name));
  const main = element('main', { id: 'main', tabindex: -1 });
  return {
    element: element(
      'div',
      { class: 'frame' },
      element('p', { class: 'ribbon' }, 'Free delivery over £40 · Last orders for Christmas: 19 December'),
      element('header', { class: 'masthead' }, element('a', { class: 'brand', href: addresses.home() }, wren(), element('span', {}, 'Marlow ', element('em', {}, '&'), ' Wren')), search, basketLink),
      element('nav', { class: 'menu', 'aria-label': 'Departments' }, ...links),
      main,
      footer(),
    ),
    main,
    setPlace: (path, query) => {
      field.value = query;
      for (const link of links) {
        if (new URL(link.href).pathname === path) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
      }
    },
  };
}

function footer(): HTMLElement {
  return element(
    'footer',
    { class: 'footer' },
    element('div', {}, element('strong', {}, 'Marlow & Wren'), element('p', {}, 'A shop that does not exist, with products that do. Shelves are arranged by Shelfwise, in your browser.')),
    element('div', {}, element('strong', {}, 'The data'), element('p', {}, 'Online Retail, Chen, Sain and Guo (2012), CC BY 4.0. Prices are as paid in 2011.')),
    element('div', {}, element('strong', {}, 'The pictures'), element('p', {}, 'Fluent Emoji by Microsoft, MIT licence, chosen by our text encoder.')),
  );
}

function svg(markup: string, className: string): HTMLElement {
  const span = element('span', { class: className, 'aria-hidden': 'true' });
  span.innerHTML = markup;
  return span;
}

const wren = (): HTMLElement =>
  svg('<svg viewBox="0 0 32 32" width="34" height="34"><path d="M3 20c5-1 7-4 9-8 2-5 8-6 12-3l5 2-4 2c0 8-6 13-13 13-5 0-8-2-9-6Z" fill="#e0a526"/><path d="M12 21c4 1 8-1 10-5-4 0-8 1-10 5Z" fill="#c4572f"/><circle cx="22.6" cy="11.4" r="1.3" fill="#17312a"/><path d="M13 26v3M17 25.5v3.5" stroke="#17312a" stroke-width="1.4" stroke-linecap="round"/></svg>', 'brand-bird');
const magnifier = (): HTMLElement =>
  svg('<svg viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"><circle cx="8.7" cy="8.7" r="5.4"/><path d="m13 13 4 4"/></svg>', 'icon');
const basketIcon = (): HTMLElement =>
  svg('<svg viewBox="0 0 24 24" width="22" height="22" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"><path d="M3.5 10h17l-1.7 8.5a2 2 0 0 1-2 1.5H7.2a2 2 0 0 1-2-1.5L3.5 10ZM8 10l3-6M16 10l-3-6M10 13.5v3M14 13.5v3"/></svg>', 'icon');
