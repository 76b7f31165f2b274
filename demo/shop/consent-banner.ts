import type { Consent } from 'shelfwise';
import { button, element } from './element.ts';
import type { Session } from './session.ts';

/** Asks once, politely; the inside panel lets the shopper think again. */
export function createConsentBanner(session: Session): HTMLElement {
  const choose = (consent: Consent) => () => void session.choose(consent);
  const banner = element(
    'aside',
    { class: 'banner', 'aria-label': 'Your privacy' },
    element('div', {}, element('strong', {}, 'May the shelves learn from what you look at?'), element('p', {}, 'They are arranged on this device. What you look at is never sent to us.')),
    element(
      'div',
      { class: 'banner-choices' },
      button('primary', choose('granted'), 'Yes, and remember'),
      button('secondary', choose('session'), 'This visit only'),
      button('secondary', choose('denied'), 'No, thank you'),
    ),
  );
  const show = (): void => {
    banner.hidden = session.choice !== null;
  };
  session.onChange(show);
  show();
  return banner;
}
