import { createRecommender, type BehaviourEvent, type Consent, type DeviceChoice, type Recommender } from 'shelfwise';

const CONSENT_KEY = 'marlow-wren:consent';
const ORDER_KEY = 'marlow-wren:order';

/** Who reads titles: the SDK's own encoder, or the same weights in transformers.js. */
export type EncoderChoice = 'built-in' | 'transformers';

/** This visit: the recommender, and what the shopper chose about it. */
export interface Session {
  readonly recommender: Recommender;
  /** Whether shelves keep the server's order, to compare. */
  readonly serverOrder: boolean;
  readonly encoder: EncoderChoice;
  /** Null until the banner was answered. */
  readonly choice: Consent | null;
  choose(consent: Consent): Promise<void>;
  setServerOrder(on: boolean): void;
  /** Loads the page again with another encoder: a worker takes its encoder when it starts. */
  switchEncoder(encoder: EncoderChoice): void;
  /** Tells the recommender what happened, then lets the shelves arrange themselves. */
  track(event: BehaviourEvent): Promise<void>;
  erase(): Promise<void>;
  /** Runs one thing after the other: shelves that ask all at once would all be late. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Listens for anything after which shelves may look different; returns its stop. */
  onChange(listener: () => void): () => void;
}

/** A bundler wants each worker's address spelt out. */
const WORKERS: Readonly<Record<EncoderChoice, () => Worker>> = {
  'built-in': () => new Worker(new URL('../shelfwise.worker.ts', import.meta.url), { type: 'module', name: 'shelfwise' }),
  transformers: () => new Worker(new URL('../shelfwise-transformers.worker.ts', import.meta.url), { type: 'module', name: 'shelfwise' }),
};

export function createSession(): Session {
  const listeners = new Set<() => void>();
  let isTold = false;
  /** Once for all that happens together, such as the lines of a purchase. */
  const notify = (): void => {
    if (isTold) return;
    isTold = true;
    setTimeout(() => {
      isTold = false;
      for (const listener of listeners) listener();
    }, 0);
  };
  let last: Promise<unknown> = Promise.resolve();
  let choice = readConsent();
  let serverOrder = sessionStorage.getItem(ORDER_KEY) === 'server';
  const encoder = chosenEncoder();
  const recommender = createRecommender({
    pack: `/models/${chosenPack()}/pack.json`,
    worker: WORKERS[encoder],
    consent: choice ?? 'denied',
    device: forcedDevice() ?? 'auto',
  });
  recommender.on('ready', notify);
  recommender.on('changed', notify);

  return {
    recommender,
    get serverOrder() {
      return serverOrder;
    },
    get choice() {
      return choice;
    },
    encoder,
    async choose(consent) {
      choice = consent;
      localStorage.setItem(CONSENT_KEY, consent);
      await recommender.setConsent(consent);
      notify();
    },
    setServerOrder(on) {
      serverOrder = on;
      sessionStorage.setItem(ORDER_KEY, on ? 'server' : 'device');
      notify();
    },
    switchEncoder(next) {
      const address = new URL(location.href);
      if (next === 'transformers') address.searchParams.set('encoder', next);
      else address.searchParams.delete('encoder');
      location.assign(address);
    },
    async track(event) {
      await recommender.track(event);
      // What was shown changes no order.
      if (event.type !== 'impression') notify();
    },
    async erase() {
      await recommender.eraseData();
      notify();
    },
    inTurn: (work) => {
      const mine = last.then(work, work);
      last = mine;
      return mine;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function readConsent(): Consent | null {
  const kept = localStorage.getItem(CONSENT_KEY);
  return kept === 'denied' || kept === 'session' || kept === 'granted' ? kept : null;
}

/** `?device=webgpu|wasm|reference` forces one. */
function forcedDevice(): DeviceChoice | null {
  const name = new URLSearchParams(location.search).get('device');
  return name === 'webgpu' || name === 'wasm' || name === 'reference' ? name : null;
}

/** `?pack=shop-en` ranks as a shop without logs would. */
function chosenPack(): 'shop-en' | 'online-retail' {
  return new URLSearchParams(location.search).get('pack') === 'shop-en' ? 'shop-en' : 'online-retail';
}

/** `?encoder=transformers` chooses transformers.js. */
function chosenEncoder(): EncoderChoice {
  return new URLSearchParams(location.search).get('encoder') === 'transformers' ? 'transformers' : 'built-in';
}
