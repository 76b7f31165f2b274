import { element } from '../shop/element.ts';
import { addresses } from '../shop/routes.ts';
import type { Page } from '../shop/shop.ts';

export function missingPage(message: string): Page {
  return {
    title: 'Not here · Marlow & Wren',
    content: element('div', { class: 'empty' }, element('h1', {}, 'Not on this shelf'), element('p', {}, message), element('a', { class: 'primary', href: addresses.home() }, 'Back to the shop')),
    candidates: [],
    dispose: () => undefined,
  };
}
