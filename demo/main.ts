import '@fontsource-variable/figtree/wght.css';
import '@fontsource-variable/fraunces/wght.css';
import type { Recommender } from 'shelfwise';
import { createFormulaDialog } from './inside/formula-dialog.ts';
import { createInsidePanel } from './inside/panel.ts';
import { createNetworkLedger } from './inside/network-ledger.ts';
import { basketPage } from './pages/basket.ts';
import { homePage } from './pages/home.ts';
import { missingPage } from './pages/missing.ts';
import { productPage } from './pages/product.ts';
import { departmentPage, searchPage } from './pages/results.ts';
import { fetchDepartments } from './shop/api.ts';
import { createBasket } from './shop/basket.ts';
import { createConsentBanner } from './shop/consent-banner.ts';
import { createFrame } from './shop/frame.ts';
import { routeOf, type Route } from './shop/routes.ts';
import { createSession } from './shop/session.ts';
import type { Page, Shop } from './shop/shop.ts';

declare global {
  interface Window {
    /** For whoever wants to look inside. */
    shelfwise: Recommender;
  }
}

/** A page in a fallback font would jump when its own arrives; after this long it may. */
const FONT_PATIENCE_MS = 1_000;

const network = createNetworkLedger();
const session = createSession();
window.shelfwise = session.recommender;
await start();

async function start(): Promise<void> {
  const basket = createBasket();
  const fonts = Promise.all(['600 1em "Fraunces Variable"', '400 1em "Figtree Variable"'].map((font) => document.fonts.load(font)));
  const [departments] = await Promise.all([fetchDepartments(), Promise.race([fonts, new Promise((resolve) => setTimeout(resolve, FONT_PATIENCE_MS))])]);
  const frame = createFrame({ basket, departments, navigate });
  const formula = createFormulaDialog(session);
  const shop: Shop = {
    session,
    basket,
    departments,
    addToBasket: (product, quantity) => {
      basket.add(product, quantity);
      void session.track({ type: 'cart', item: product, value: quantity });
    },
    explain: (candidate, context) => void formula.open(candidate, context),
    navigate,
  };
  let page: Page | null = null;
  let turn = 0;
  const panel = createInsidePanel({ session, network, candidates: () => page?.candidates ?? [] });
  document.querySelector('#app')?.append(frame.element, createConsentBanner(session), panel, formula.element);

  async function show(): Promise<void> {
    const mine = ++turn;
    const url = new URL(location.href);
    const route = routeOf(url);
    frame.setPlace(url.pathname, route.page === 'search' ? route.query : '');
    const next = await pageOf(shop, route).catch(() => missingPage('The shop’s server did not answer. Please try again.'));
    if (mine !== turn) {
      next.dispose();
      return;
    }
    page?.dispose();
    page = next;
    document.title = next.title;
    frame.main.replaceChildren(next.content);
  }

  function navigate(address: string): void {
    history.pushState(null, '', address);
    void show().then(() => {
      scrollTo(0, 0);
      frame.main.focus({ preventScroll: true });
    });
  }

  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.origin !== location.origin || link.target !== '' || link.hash !== '') return;
    event.preventDefault();
    navigate(link.href);
  });
  addEventListener('popstate', () => void show());
  await show();
}

function pageOf(shop: Shop, route: Route): Promise<Page> {
  switch (route.page) {
    case 'home':
      return homePage(shop);
    case 'product':
      return productPage(shop, route.id);
    case 'search':
      return searchPage(shop, route.query);
    case 'department':
      return departmentPage(shop, route.slug);
    case 'basket':
      return basketPage(shop);
    case 'missing':
      return Promise.resolve(missingPage('There is no such page.'));
  }
}
