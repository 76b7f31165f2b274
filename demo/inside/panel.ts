import type { BehaviourRow, Consent, EngineStatus, LedgerEntry, NextBehaviour } from 'shelfwise';
import type { ShopCandidate } from '../shop/api.ts';
import { button, element } from '../shop/element.ts';
import type { EncoderChoice, Session } from '../shop/session.ts';
import type { NetworkLedger, NetworkRow } from './network-ledger.ts';

const TOP = 5;
const LOG_ROWS = 12;
/** What happens in the background (encoding, packs) shows within a second while the panel is open. */
const REFRESH_MS = 1_000;
/** What was said is news for so long. */
const MESSAGE_MS = 6_000;

export interface InsideOptions {
  readonly session: Session;
  readonly network: NetworkLedger;
  /** The candidates of the page that is open. */
  readonly candidates: () => readonly ShopCandidate[];
}

/** A drawer that shows what happens on the device: log, predictions, milliseconds, requests, and the shopper's choices. */
export function createInsidePanel({ session, network, candidates }: InsideOptions): HTMLElement {
  const { recommender } = session;
  const consent = element('div', { class: 'choices', role: 'group', 'aria-label': 'Consent' });
  const encoder = element('div', { class: 'choices', role: 'group', 'aria-label': 'Encoder' }, ...encoderChoices(session));
  const order = button('switch', () => session.setServerOrder(!session.serverOrder), 'Server order');
  const message = element('p', { class: 'small', role: 'status' });
  let forget: ReturnType<typeof setTimeout> | undefined;
  function say(words: string): void {
    message.textContent = words;
    clearTimeout(forget);
    forget = setTimeout(() => message.replaceChildren(), MESSAGE_MS);
  }
  const next = element('ol', { class: 'next' });
  const devices = element('dl', { class: 'pairs devices' });
  const timings = element('dl', { class: 'pairs timings' });
  const log = element('ol', { class: 'log' });
  const requests = element('ol', { class: 'requests' });
  const titles = new Map<string, string>();

  const drawer = element(
    'aside',
    { class: 'inside', id: 'inside', 'aria-label': 'Inside Shelfwise', hidden: true },
    element('header', {}, element('h2', {}, 'Inside'), button('close', () => setOpen(false), '×')),
    element(
      'div',
      { class: 'inside-body' },
      section('Your choice', consent, element('div', { class: 'actions' }, order, button('', () => void download(), 'Export'), button('', () => void erase(), 'Erase')), message),
      section('What you may do next', next),
      section('Device', encoder, devices, timings),
      section('Behaviour log', log),
      section('Network ledger', element('p', { class: 'small' }, 'Every request of this visit. None carries what you looked at, except the page’s own q and item.'), requests),
    ),
  );
  drawer.querySelector('.close')?.setAttribute('aria-label', 'Close the inside panel');
  const opener = button('inside-opener', () => setOpen(drawer.hidden !== false), 'Inside');
  opener.setAttribute('aria-controls', 'inside');
  opener.setAttribute('aria-expanded', 'false');

  let timer: ReturnType<typeof setInterval> | undefined;
  function setOpen(open: boolean): void {
    drawer.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
    clearInterval(timer);
    if (!open) return;
    timer = setInterval(() => void refresh(), REFRESH_MS);
    void refresh();
  }

  async function refresh(): Promise<void> {
    showChoices();
    for (const { id, title } of candidates()) titles.set(id, title);
    const isAllowed = recommender.consent !== 'denied';
    const [status, data, predicted] = await Promise.all([
      recommender.status(),
      isAllowed ? recommender.exportData().catch(() => null) : null,
      isAllowed ? recommender.predictNext(candidates()) : [],
    ]);
    showStatus(status, devices, timings);
    showNext(predicted, titles, next);
    showLog(data?.behaviour ?? [], log);
    showRequests(network.rows(), status.ledger, requests);
  }

  function showChoices(): void {
    const names: readonly (readonly [Consent, string])[] = [
      ['denied', 'Off'],
      ['session', 'This visit'],
      ['granted', 'Remember'],
    ];
    consent.replaceChildren(
      ...names.map(([value, name]) => {
        const choice = button('', () => void session.choose(value), name);
        choice.setAttribute('aria-pressed', String(recommender.consent === value));
        choice.dataset.consent = value;
        return choice;
      }),
    );
    order.setAttribute('aria-pressed', String(session.serverOrder));
  }

  async function download(): Promise<void> {
    try {
      const data = await recommender.exportData();
      const url = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' }));
      element('a', { href: url, download: 'shelfwise-export.json' }).click();
      URL.revokeObjectURL(url);
      say(`${data.behaviour.length} behaviours exported.`);
    } catch {
      say('There is nothing to export.');
    }
  }

  async function erase(): Promise<void> {
    try {
      await session.erase();
      say('All that was kept on this device is gone.');
    } catch {
      say('Something could not be erased; please clear this site’s data in your browser.');
    }
  }

  showChoices();
  session.onChange(() => {
    showChoices();
    if (!drawer.hidden) void refresh();
  });
  recommender.on('fallback', ({ message: words }) => say(words));
  return element('div', {}, opener, drawer);
}

/** Which encoder reads titles; a click loads the page again with the other. */
function encoderChoices(session: Session): HTMLElement[] {
  const names: readonly (readonly [EncoderChoice, string])[] = [
    ['built-in', 'Built-in encoder'],
    ['transformers', 'transformers.js'],
  ];
  return names.map(([value, name]) => {
    const choice = button('', () => session.switchEncoder(value), name);
    choice.setAttribute('aria-pressed', String(session.encoder === value));
    return choice;
  });
}

function section(heading: string, ...children: readonly HTMLElement[]): HTMLElement {
  return element('section', {}, element('h3', {}, heading), ...children);
}

function pairs(rows: readonly (readonly [string, string])[]): HTMLElement[] {
  return rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', { title: value }, value)]);
}

function showStatus({ devices, packs, store, timings, queue }: EngineStatus, place: HTMLElement, times: HTMLElement): void {
  place.replaceChildren(
    ...pairs([
      ['reads titles', devices.encode.device],
      ['follows you', devices.sequence.device],
      ['scores', devices.score.device],
      ['because', [...new Set(Object.values(devices).map(({ why }) => why))].join('; ')],
      ['packs', packs.length === 0 ? 'none' : packs.map(({ name, revision }) => `${name} ${revision.slice(0, 8)}`).join(', ')],
      ['kept in', store.home],
      ['waiting to be read', `${queue.encoding} titles`],
    ]),
  );
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  times.replaceChildren(
    ...(timings === null
      ? []
      : pairs([
          ['encode', ms(timings.encodeMs)],
          ['advance', ms(timings.advanceMs)],
          ['forecast', ms(timings.forecastMs)],
          ['score', ms(timings.scoreMs)],
          ['all', ms(timings.totalMs)],
        ])),
  );
}

function showNext(predicted: readonly NextBehaviour[], titles: ReadonlyMap<string, string>, place: HTMLElement): void {
  const top = [...predicted].sort((a, b) => b.probability - a.probability).slice(0, TOP);
  const most = top[0]?.probability ?? 1;
  place.replaceChildren(
    ...(top.length === 0
      ? [element('li', { class: 'small' }, 'No prediction: it needs your consent and the models.')]
      : top.map(({ id, kind, probability }) => {
          const bar = element('i');
          bar.style.setProperty('--share', `${(probability / most) * 100}%`);
          return element('li', {}, element('b', {}, kind), element('span', {}, titles.get(String(id)) ?? String(id)), element('em', {}, `${(probability * 100).toFixed(1)} %`), bar);
        })),
  );
}

function showLog(rows: readonly BehaviourRow[], place: HTMLElement): void {
  const latest = rows.slice(-LOG_ROWS).reverse();
  place.replaceChildren(
    ...(latest.length === 0
      ? [element('li', { class: 'small' }, 'Nothing is kept.')]
      : latest.map(({ seq, payload }) =>
          element('li', {}, element('span', { class: 'seq' }, `#${seq}`), element('b', {}, payload.type), element('span', {}, payload.item?.title ?? payload.query ?? (payload.slate === undefined ? '' : `of slate ${payload.slate.slice(0, 8)}`)), element('time', {}, new Date(payload.time).toLocaleTimeString('en-GB'))),
        )),
  );
}

function showRequests(own: readonly NetworkRow[], ledger: readonly LedgerEntry[], place: HTMLElement): void {
  const rows: readonly NetworkRow[] = [...own, ...ledger.map(({ url, reason, bytes }) => ({ address: pathOf(url), reason: `Shelfwise: ${reason}`, bytes, requests: 1 }))];
  place.replaceChildren(
    ...rows.map(({ reason, address, requests, bytes }) =>
      element('li', {}, element('b', {}, requests > 1 ? `${reason} ×${requests}` : reason), element('code', {}, address), element('em', {}, `${(bytes / 1000).toFixed(1)} kB`)),
    ),
  );
}

function pathOf(url: string): string {
  try {
    return new URL(url, location.href).pathname;
  } catch {
    return url;
  }
}
