import type { PageContext, RankedItem } from 'shelfwise';
import type { CandidateQuery, ShopCandidate } from './api.ts';
import { createCard, type Card } from './card.ts';
import { button, element } from './element.ts';
import { reorder } from './flip.ts';
import type { Shop } from './shop.ts';

/** Shelves show the order that they have at once, so that the device may take its time. */
const DEADLINE_MS = 400;
/** A late answer is asked for again once all titles are read, so often. */
const RETRIES = 5;

export interface ShelfOptions {
  readonly slot: CandidateQuery['slot'];
  readonly heading: string;
  readonly note?: string;
  readonly candidates: readonly ShopCandidate[];
  /** Cards shown. */
  readonly limit: number;
  /** What was typed or chosen, where that is why the shelf is there. */
  readonly context?: PageContext;
  /** `row` scrolls sideways on a phone. */
  readonly layout: 'grid' | 'row';
  /** Cards added by "show more"; 0 shows no such button. */
  readonly more?: number;
}

export interface Shelf {
  readonly element: HTMLElement;
  readonly candidates: readonly ShopCandidate[];
  readonly dispose: () => void;
}

type Place = Pick<RankedItem<ShopCandidate>, 'item' | 'position' | 'serverPosition'>;

/** A shelf that arranges itself on the device after every behaviour. */
export function createShelf(shop: Shop, { slot, heading, note, candidates, limit, context = {}, layout, more = 0 }: ShelfOptions): Shelf {
  const { session } = shop;
  const { recommender } = session;
  const cards = new Map<string, Card>();
  const list = element('div', { class: `cards cards-${layout}`, 'data-slot': slot });
  const stop = new AbortController();
  let shown = Math.min(limit, candidates.length);
  let slate: { readonly id: string; readonly reported: boolean } | null = null;
  let asked = 0;

  const actions = {
    open: (item: ShopCandidate) => void session.track({ type: 'click', item, ...(slate === null ? {} : { slate: slate.id }) }),
    add: (item: ShopCandidate) => shop.addToBasket(item, 1),
    explain: (item: ShopCandidate) => shop.explain(item, context),
  };

  function cardOf(item: ShopCandidate): Card {
    let card = cards.get(item.id);
    if (card === undefined) cards.set(item.id, (card = createCard(item, actions)));
    return card;
  }

  function show(places: readonly Place[], isDevice: boolean): void {
    const next = places.map(({ item, position, serverPosition }) => {
      const card = cardOf(item);
      card.setMovement(serverPosition, isDevice ? position : null);
      return card.element;
    });
    reorder(list, keepFocused(list, next));
    list.dataset.ranker = isDevice ? 'device' : 'server';
  }

  function showServerOrder(): void {
    show(candidates.slice(0, shown).map((item, position) => ({ item, position, serverPosition: position })), false);
  }

  async function refresh(retries = RETRIES): Promise<void> {
    const turn = ++asked;
    /** A later question has a newer answer. */
    const isOver = (): boolean => turn !== asked || stop.signal.aborted;
    if (session.serverOrder || recommender.consent === 'denied') {
      slate = null;
      showServerOrder();
      return;
    }
    const answer = await session.inTurn(async () => (isOver() ? null : recommender.rerank(candidates, { limit: shown, deadlineMs: DEADLINE_MS, context })));
    if (answer === null || isOver()) return;
    if (answer.ranker === 'device') {
      slate = { id: answer.id, reported: false };
      show(answer.items, true);
      reportImpression();
      return;
    }
    // Nothing better is known than what is there already.
    if (slate === null) showServerOrder();
    if (answer.fallback?.code !== 'DEADLINE' || retries === 0) return;
    await recommender.prefetch(candidates);
    if (!isOver()) await refresh(retries - 1);
  }

  const isSeen = { now: false };
  const observer = new IntersectionObserver(([entry]) => {
    isSeen.now = entry?.isIntersecting === true;
    reportImpression();
  }, { threshold: 0.3 });

  function reportImpression(): void {
    if (!isSeen.now || slate === null || slate.reported) return;
    slate = { ...slate, reported: true };
    void session.track({ type: 'impression', slate: slate.id });
  }

  const moreButton = button('more', () => {
    shown = Math.min(shown + more, candidates.length);
    moreButton.hidden = shown >= candidates.length;
    void refresh();
  }, 'Show more');
  moreButton.hidden = more === 0 || shown >= candidates.length;

  const stops = [
    session.onChange(() => void refresh()),
    recommender.on('improved', (detail) => {
      if (detail.slate === slate?.id) void refresh();
    }),
  ];
  observer.observe(list);
  showServerOrder();
  void refresh();

  return {
    element: element(
      'section',
      { class: 'shelf' },
      element('div', { class: 'shelf-head' }, element('h2', {}, heading), note === undefined ? null : element('p', {}, note)),
      list,
      moreButton,
    ),
    candidates,
    dispose: () => {
      stop.abort();
      observer.disconnect();
      for (const end of stops) end();
    },
  };
}

/** A card that somebody is on stays, in the last place if it must. */
function keepFocused(list: HTMLElement, next: HTMLElement[]): HTMLElement[] {
  const focused = [...list.children].find((child): child is HTMLElement => child instanceof HTMLElement && child.contains(document.activeElement));
  return focused === undefined || next.includes(focused) || next.length === 0 ? next : [...next.slice(0, -1), focused];
}
