import { toBehaviourRow } from '../../../src/behaviour/event-log.ts';
import { RecommenderError } from '../../../src/errors.ts';
import { fetchBytes } from '../../../src/packs/fetch-bytes.ts';
import { createConsentGate } from '../../../src/privacy/consent.ts';
import { createLedger } from '../../../src/privacy/ledger.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { NewBehaviourRow } from '../../../src/storage/shopper-store.ts';
import { createTabSharing } from '../../../src/storage/tab-sharing.ts';
import type { Candidate, TrackResult } from '../../../src/types.ts';
import type { EngineOptions, EngineStatus, RerankAnswer, RerankOptions, TrackedEvent } from '../../../src/worker/protocol.ts';
import { serveEngine } from '../../../src/worker/rpc-server.ts';
import { answerWith, createTestEngine } from '../../helpers/engine-worker.ts';

// An engine without models over the real store: what the shopper did last comes first. The query says what goes wrong.
serveEngine(self, ({ options, emit, onPageState }) => {
  const { partition, database }: EngineOptions = options;
  const ledger = createLedger({ now: Date.now, fetchBytes });
  const sharing = createTabSharing(database);
  onPageState(sharing.onPageState);
  const gate = createConsentGate({
    partition,
    consent: options.consent,
    openStore: async (consent) => {
      if (consent === 'session') return createMemoryStore();
      const store = await sharing.open();
      store.onChange((reason) => emit('changed', { reason }));
      return store;
    },
  });

  async function track(events: readonly TrackedEvent[]): Promise<TrackResult[]> {
    const store = await gate.store();
    if (store === null) return events.map(() => 'dropped');
    const rows = events.map((event) => toBehaviourRow(event, { partition, now: Date.now() }));
    await store.append(rows.filter((row): row is NewBehaviourRow => !(row instanceof RecommenderError)));
    return rows.map((row) => (row instanceof RecommenderError ? 'dropped' : store.home === 'indexeddb' ? 'stored' : 'memory'));
  }

  async function rerank(candidates: readonly Candidate[], { context }: RerankOptions): Promise<RerankAnswer> {
    const query = context?.query;
    if (query === 'dies') self.close();
    if (query === 'dies' || query === 'hangs') return new Promise(() => undefined);
    if (query === 'blocks') for (;;);
    const rows = (await (await gate.store())?.readBehaviour(partition)) ?? [];
    const lastSeq = new Map(rows.map(({ payload, seq }) => [payload.item?.id, seq]));
    const order = candidates.map((_, position) => position);
    return answerWith(order.sort((a, b) => (lastSeq.get(candidates[b]?.id) ?? 0) - (lastSeq.get(candidates[a]?.id) ?? 0)));
  }

  async function status(): Promise<EngineStatus> {
    const store = await gate.store();
    const sizes = (await store?.sizes()) ?? { behaviourRows: 0, vectors: 0, slates: 0 };
    const plain = await createTestEngine().status();
    const role = { device: 'none', why: sharing.isWriter() ? 'writer' : 'reader' };
    return { ...plain, consent: gate.consent, devices: { ...plain.devices, sequence: role }, store: { home: store?.home ?? 'none', ...sizes }, ledger: ledger.entries() };
  }

  // As the real engine does: from the start it hears of what other tabs do.
  void gate.store();
  queueMicrotask(() => emit('ready', { device: 'none' }));
  return createTestEngine({
    track,
    rerank,
    status,
    setConsent: (consent) => gate.set(consent),
    exportData: () => gate.exportData(),
    eraseData: () => gate.erase(),
    close: () => gate.close(),
  });
});
