export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'product'; readonly id: string }
  | { readonly page: 'search'; readonly query: string }
  | { readonly page: 'department'; readonly slug: string }
  | { readonly page: 'basket' }
  | { readonly page: 'missing' };

/** What an address shows. */
export function routeOf(url: URL): Route {
  const [first = '', second = '', ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent);
  if (rest.length > 0) return { page: 'missing' };
  if (first === '' && second === '') return { page: 'home' };
  if (first === 'product' && second !== '') return { page: 'product', id: second };
  if (first === 'department' && second !== '') return { page: 'department', slug: second };
  if (first === 'search') return { page: 'search', query: url.searchParams.get('q')?.trim() ?? '' };
  if (first === 'basket') return { page: 'basket' };
  return { page: 'missing' };
}

/** "Tea & Tableware" -> "tea-tableware". */
export function slugOf(department: string): string {
  return department.toLowerCase().replace(/[^a-z]+/g, '-');
}

/** What an address may force for the whole visit: `?device=wasm`, `?encoder=transformers`, `?pack=shop-en`. */
const FORCED = ['device', 'encoder', 'pack'] as const;

/** An address within the shop; what is forced stays forced. */
export function addressOf(path: string): string {
  const here = new URLSearchParams(location.search);
  const kept = new URLSearchParams(FORCED.flatMap((name) => here.getAll(name).slice(0, 1).map((value) => [name, value]))).toString();
  return kept === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${kept}`;
}

export const addresses = {
  home: () => addressOf('/'),
  product: (id: string) => addressOf(`/product/${encodeURIComponent(id)}`),
  department: (name: string) => addressOf(`/department/${slugOf(name)}`),
  search: (query: string) => addressOf(`/search?q=${encodeURIComponent(query)}`),
  basket: () => addressOf('/basket'),
} as const;
