import type { ShopCandidate } from './api.ts';
import { button, element } from './element.ts';
import { picture } from './picture.ts';
import { price } from './price.ts';
import { addresses } from './routes.ts';

export interface CardActions {
  open(candidate: ShopCandidate): void;
  add(candidate: ShopCandidate): void;
  explain(candidate: ShopCandidate): void;
}

export interface Card {
  readonly element: HTMLElement;
  /** Shows where the card stood on the server and where it stands now, both from 0; null keeps quiet. */
  setMovement(serverPosition: number, position: number | null): void;
}

/** Long enough to be seen, short enough to press again. */
const ADDED_MS = 1_400;

/** One product on a shelf. */
export function createCard(candidate: ShopCandidate, actions: CardActions): Card {
  const { id, title, category } = candidate;
  const badge = element('span', { class: 'badge', hidden: true });
  const link = element(
    'a',
    { class: 'card-link', href: addresses.product(id) },
    picture(candidate),
    element('span', { class: 'card-department' }, category),
    element('span', { class: 'card-title' }, title),
  );
  link.addEventListener('click', () => actions.open(candidate));
  const why = button('why', () => actions.explain(candidate), 'why?');
  why.setAttribute('aria-label', `Why is ${title} here?`);
  const add = button('add', () => {
    actions.add(candidate);
    add.dataset.added = 'true';
    setTimeout(() => delete add.dataset.added, ADDED_MS);
  }, 'Add');
  add.setAttribute('aria-label', `Add ${title} to the basket`);
  const card = element('article', { class: 'card', 'data-item-id': id }, link, badge, why, element('div', { class: 'card-foot' }, element('span', { class: 'card-price' }, price(candidate.price)), add));
  return {
    element: card,
    setMovement(serverPosition, position) {
      card.dataset.serverPosition = String(serverPosition);
      const rise = position === null ? 0 : serverPosition - position;
      badge.hidden = rise === 0;
      badge.className = `badge ${rise > 0 ? 'badge-up' : 'badge-down'}`;
      badge.textContent = `${rise > 0 ? '▲' : '▼'}${Math.abs(rise)}`;
      badge.title = position === null ? '' : `The server had it at ${serverPosition + 1}, your device at ${position + 1}`;
    },
  };
}
