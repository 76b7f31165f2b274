import type { PageContext } from 'shelfwise';
import type { Department, ShopCandidate } from './api.ts';
import type { Basket } from './basket.ts';
import type { Session } from './session.ts';

/** What every page of the shop works with. */
export interface Shop {
  readonly session: Session;
  readonly basket: Basket;
  readonly departments: readonly Department[];
  addToBasket(product: ShopCandidate | ShopProduct, quantity: number): void;
  /** Opens the formula of a candidate on a page that says this. */
  explain(candidate: ShopCandidate, context: PageContext): void;
  navigate(address: string): void;
}

type ShopProduct = Omit<ShopCandidate, 'score' | 'demand'>;

/** A page as it stands: what to show, the candidates on its shelves, and its end. */
export interface Page {
  readonly title: string;
  readonly content: HTMLElement;
  readonly candidates: readonly ShopCandidate[];
  dispose(): void;
}
