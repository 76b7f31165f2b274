/** One request, or several of one kind, with the reason for it. */
export interface NetworkRow {
  readonly reason: string;
  readonly address: string;
  readonly requests: number;
  /** On the wire where the browser says, else as stored. */
  readonly bytes: number;
}

export interface NetworkLedger {
  /** The page's own requests, oldest first; pictures and code are added up. */
  rows(): readonly NetworkRow[];
}

/** Listens to what the page itself fetches; the worker's requests are in its own ledger (`status().ledger`). */
export function createNetworkLedger(): NetworkLedger {
  const rows = new Map<string, NetworkRow>();
  const note = (entry: PerformanceEntry): void => {
    if (!(entry instanceof PerformanceResourceTiming)) return;
    const url = new URL(entry.name);
    const { reason, group } = reasonOf(url);
    const address = group ?? url.pathname + url.search;
    const known = rows.get(address);
    rows.set(address, {
      reason,
      address,
      requests: (known?.requests ?? 0) + 1,
      bytes: (known?.bytes ?? 0) + (entry.transferSize || entry.encodedBodySize),
    });
  };
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: 'resource', buffered: true });
  return { rows: () => [...rows.values()] };
}

function reasonOf(url: URL): { readonly reason: string; readonly group?: string } {
  const query = url.searchParams;
  if (url.pathname === '/api/candidates') {
    const what = {
      home: 'the home page’s candidates',
      product: `candidates beside the product that is open (item=${query.getAll('item').join(', ')})`,
      search: query.has('q') ? `the shop’s own search page (q=${query.get('q') ?? ''})` : `candidates of a department (${query.get('category') ?? ''})`,
      basket: `candidates beside the basket (${query.getAll('item').length} item)`,
    }[query.get('slot') ?? ''];
    return { reason: `page: ${what ?? 'candidates'}` };
  }
  if (url.pathname === '/api/product') return { reason: 'page: the product that is open' };
  if (url.pathname === '/api/departments') return { reason: 'page: the menu' };
  if (url.pathname.startsWith('/pictures/')) return { reason: 'page: pictures', group: '/pictures/…' };
  if (url.pathname.startsWith('/models/')) return { reason: 'Shelfwise: a pack' };
  if (/worker/.test(url.pathname)) return { reason: 'Shelfwise: code of the worker' };
  if (/\.(woff2?|css)$/.test(url.pathname)) return { reason: 'page: type and style', group: 'fonts and styles' };
  return { reason: 'page: code', group: 'scripts' };
}
