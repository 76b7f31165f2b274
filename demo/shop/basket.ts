import type { Product } from './api.ts';

export interface BasketLine {
  readonly product: Product;
  readonly quantity: number;
}

export interface Basket {
  readonly lines: readonly BasketLine[];
  /** Sets how many of a product are in the basket; 0 takes it out. */
  set(product: Product, quantity: number): void;
  add(product: Product, quantity: number): void;
  clear(): void;
  /** Listens; returns its stop. */
  onChange(listener: () => void): () => void;
}

const KEY = 'marlow-wren:basket';

/** The basket of this tab; it outlives a reload and nothing else. */
export function createBasket(): Basket {
  let lines = read();
  const listeners = new Set<() => void>();
  const change = (next: readonly BasketLine[]): void => {
    lines = next;
    sessionStorage.setItem(KEY, JSON.stringify(lines));
    for (const listener of listeners) listener();
  };
  const set = (product: Product, quantity: number): void => {
    const others = lines.filter((line) => line.product.id !== product.id);
    const position = lines.findIndex((line) => line.product.id === product.id);
    if (quantity <= 0) change(others);
    else if (position < 0) change([...lines, { product, quantity }]);
    else change(lines.with(position, { product, quantity }));
  };
  return {
    get lines() {
      return lines;
    },
    set,
    add: (product, quantity) => set(product, quantity + (lines.find((line) => line.product.id === product.id)?.quantity ?? 0)),
    clear: () => change([]),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function read(): readonly BasketLine[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as readonly BasketLine[];
  } catch {
    return [];
  }
}
