import type { Candidate } from '../../src/types.ts';
import { openDemoShop } from '../demo-shop.ts';
import { DEPTH } from '../../src/evaluate/metrics.ts';
import type { QualityData, TestInvoice } from './protocol.ts';
import type { QualityRanker } from './rankers.ts';

/** Lines in the basket before the candidates are re-ranked. */
const LINES = 3;
const CANDIDATES = 100;
const PATIENCE_MS = 60_000;

/** Sets the worker's clock: the features know how long ago things were, so that the browser must live in the invoice's time. */
const CLOCK = `{
  const real = Date.now.bind(Date);
  let fixed;
  Date.now = () => fixed ?? real();
  new BroadcastChannel('bench-clock').onmessage = ({ data }) => (fixed = data);
}
`;

/**
 * Ranks `count` invoices again in real Chromium, through the page's API, and compares the first DEPTH places with the
 * engine's in Node. -> how many of them are the same.
 */
export async function compareInChromium(data: QualityData, ranker: QualityRanker, count: number): Promise<{ same: number; compared: number }> {
  const shop = await openDemoShop();
  const { context, page } = await shop.visit('?device=wasm');
  try {
    await context.route(/worker.*\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: CLOCK + (await response.text()) });
    });
    await page.reload();
    await page.waitForFunction(() => 'shelfwise' in globalThis);
    let same = 0;
    const invoices = data.invoices.filter(({ lines }) => lines.length > LINES).slice(0, count);
    for (const invoice of invoices) {
      const items = invoice.lines.slice(0, LINES).map(({ product }) => data.products[product]!.id);
      const candidates = data.serverCandidates(items, invoice.time, CANDIDATES);
      const session = await ranker.open(invoice);
      for (const line of invoice.lines.slice(0, LINES)) await session.add(line);
      const inNode = (await session.rank(candidates)).map((place) => String(candidates[place]!.id));
      await session.close();
      const inBrowser = await page.evaluate(rankInPage, { events: eventsOf(data, invoice), candidates, clock: invoice.time * 1_000, limit: DEPTH, deadlineMs: PATIENCE_MS });
      if (inNode.length === inBrowser.length && inNode.every((id, place) => id === inBrowser[place])) same++;
    }
    return { same, compared: invoices.length };
  } finally {
    await context.close();
    await shop.close();
  }
}

interface PageRequest {
  readonly events: readonly { readonly type: 'purchase' | 'cart'; readonly item: { readonly id: string; readonly title: string; readonly price: number }; readonly time: number }[];
  readonly candidates: readonly Candidate[];
  readonly clock: number;
  readonly limit: number;
  readonly deadlineMs: number;
}

/** In the page: a new shopper at the invoice's time, its behaviours, one slate. */
async function rankInPage({ events, candidates, clock, limit, deadlineMs }: PageRequest): Promise<string[]> {
  await globalThis.shelfwise.setConsent('denied');
  await globalThis.shelfwise.setConsent('session');
  await globalThis.shelfwise.status(); // the worker is there and hears the clock
  const channel = new BroadcastChannel('bench-clock');
  channel.postMessage(clock);
  for (let start = 0; start < events.length; start += 500) {
    const stored = await Promise.all(events.slice(start, start + 500).map((event) => globalThis.shelfwise.track(event)));
    if (stored.some((result) => result !== 'memory')) throw new Error('A behaviour was dropped.');
  }
  await globalThis.shelfwise.predictNext(candidates.slice(0, 1)); // waits for every event
  const slate = await globalThis.shelfwise.rerank(candidates, { limit, deadlineMs });
  channel.close();
  if (slate.ranker !== 'device') throw new Error(`The server's order was kept: ${slate.fallback?.message ?? ''}`);
  return slate.items.map(({ item }) => String(item.id));
}

function eventsOf({ products }: QualityData, { history, lines, time }: TestInvoice): PageRequest['events'] {
  const event = (product: number, price: number, type: 'purchase' | 'cart', seconds: number) => ({
    type,
    item: { id: products[product]!.id, title: products[product]!.title, price },
    time: seconds * 1_000,
  });
  return [
    ...history.flatMap((earlier) => earlier.lines.map(({ product, price }) => event(product, price, 'purchase', earlier.time))),
    ...lines.slice(0, LINES).map(({ product, price }) => event(product, price, 'cart', time)),
  ];
}
