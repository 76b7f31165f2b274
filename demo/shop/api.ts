import type { Candidate } from 'shelfwise';

/** A product as the shop's server sends it. */
export interface Product {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly price: number;
  /** Icons: the thing, and what is on it. */
  readonly picture: readonly string[];
}

export type ShopCandidate = Product & Required<Pick<Candidate, 'score' | 'demand'>>;

export interface Department {
  readonly name: string;
  readonly products: number;
}

export interface CandidateQuery {
  readonly slot: 'home' | 'product' | 'search' | 'basket';
  readonly q?: string;
  readonly item?: readonly string[];
  readonly category?: string;
  readonly limit: number;
}

/** Answers of this visit by address: going back costs no request. */
const answers = new Map<string, Promise<unknown>>();

/** Candidates for a slot. The request says what page is looked at, and nothing of the shopper. */
export async function fetchCandidates({ slot, q, item = [], category, limit }: CandidateQuery): Promise<readonly ShopCandidate[]> {
  const query = new URLSearchParams({ slot, limit: String(limit) });
  if (q !== undefined) query.set('q', q);
  if (category !== undefined) query.set('category', category);
  for (const id of item) query.append('item', id);
  const { candidates } = await get<{ readonly candidates: readonly ShopCandidate[] }>(`/api/candidates?${query.toString()}`);
  return candidates;
}

/** A product of the catalogue, or null. */
export async function fetchProduct(id: string): Promise<Product | null> {
  try {
    return (await get<{ readonly product: Product }>(`/api/product?${new URLSearchParams({ id }).toString()}`)).product;
  } catch {
    return null;
  }
}

export async function fetchDepartments(): Promise<readonly Department[]> {
  return (await get<{ readonly departments: readonly Department[] }>('/api/departments')).departments;
}

function get<T>(address: string): Promise<T> {
  let answer = answers.get(address);
  if (answer === undefined) {
    answer = fetchJson(address);
    answers.set(address, answer);
    // What failed may be asked again.
    answer.catch(() => answers.delete(address));
  }
  return answer as Promise<T>;
}

async function fetchJson(address: string): Promise<unknown> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.json();
}
