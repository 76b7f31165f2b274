import type { FormulaValues, PageContext } from 'shelfwise';
import type { ShopCandidate } from '../shop/api.ts';
import { button, element } from '../shop/element.ts';
import { picture } from '../shop/picture.ts';
import type { Session } from '../shop/session.ts';
import { heatStrip, trendLine } from './plots.ts';

export interface FormulaDialog {
  readonly element: HTMLDialogElement;
  open(candidate: ShopCandidate, context: PageContext): Promise<void>;
}

/** y(u,i,t) of one product with its live values, as the device has them now. */
export function createFormulaDialog(session: Session): FormulaDialog {
  const dialog = element('dialog', { class: 'formula', 'aria-label': 'Why is this here?' });
  // A click beside the words is a click on the dialog itself.
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  return {
    element: dialog,
    async open(candidate, context) {
      const values = await session.recommender.formula(candidate, { context });
      dialog.replaceChildren(
        element(
          'div',
          { class: 'formula-body' },
          element('header', {}, picture(candidate), element('div', {}, element('p', { class: 'eyebrow' }, 'Why is this here?'), element('h2', {}, candidate.title)), button('close', () => dialog.close(), '×')),
          values === null ? reasonForNone(session) : explanation(candidate, values),
        ),
      );
      dialog.querySelector('.close')?.setAttribute('aria-label', 'Close');
      dialog.showModal();
    },
  };
}

function reasonForNone(session: Session): HTMLElement {
  return element(
    'p',
    {},
    session.recommender.consent === 'denied'
      ? 'You have not allowed the shelves to learn, so this is the shop’s own order: what sells, and what is sold together.'
      : 'The device has no answer yet: its models are still on their way, or could not be loaded. This is the shop’s own order.',
  );
}

function explanation(candidate: ShopCandidate, values: FormulaValues): HTMLElement {
  const { user, item, forecast, hidden, probability, features, score } = values;
  const likeness = user !== null && item !== null ? user.reduce((sum, value, d) => sum + value * item[d]!, 0) : null;
  return element(
    'div',
    {},
    element(
      'p',
      { class: 'equation' },
      element('b', {}, 'y'),
      ' = f( ',
      variable('u', 'u'),
      ', ',
      variable('v', 'i', '(t+1)'),
      ', ',
      variable('h', 'u'),
      ' ) = ',
      element('b', { class: 'equation-value' }, score.toFixed(3)),
    ),
    term('u', 'u', 'what you looked at and typed, as text', user === null ? element('p', { class: 'small' }, 'nothing yet') : heatStrip(user, 'u_u')),
    term('v', 'i', `this product's words${likeness === null ? '' : `; likeness to yours ${likeness.toFixed(2)}`}`, item === null ? element('p', { class: 'small' }, 'still being read') : heatStrip(item, 'v_i')),
    term('v', 'i', `(t+1): sold per week, and next week's forecast: ${forecast === null ? 'none' : forecast.toFixed(1)}`, trendLine(candidate.demand.values, forecast)),
    term('h', 'u', `the state of your visit; p(next = this) ${percent(probability)}`, heatStrip(hidden, 'h_u')),
    element(
      'details',
      {},
      element('summary', {}, `What the head reads: ${Object.keys(features).length} features`),
      element('table', {}, ...Object.entries(features).map(([name, value]) => element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, value === null ? 'missing' : value.toFixed(3))))),
    ),
  );
}

function variable(letter: string, index: string, after = ''): HTMLElement {
  return element('var', {}, letter, element('sub', {}, index), after);
}

function term(letter: string, index: string, words: string, plot: Element): HTMLElement {
  return element('section', { class: 'term' }, element('h3', {}, variable(letter, index), element('span', {}, words)), plot);
}

function percent(share: number): string {
  return share >= 0.001 ? `${(share * 100).toFixed(1)} %` : `${(share * 100).toPrecision(1)} %`;
}
