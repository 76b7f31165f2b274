import { createRecommender } from '../../../src/index.ts';
import type { Consent, Recommender } from '../../../src/index.ts';

declare global {
  interface Window {
    /** The page's instance; its engine is the one of page.worker.ts. */
    recommender: Recommender;
    /** What was reported, for instance `fallback DEADLINE` or `changed appended`. */
    reported: string[];
  }
}

const query = new URLSearchParams(location.search);
window.reported = [];
window.recommender = createRecommender({
  pack: '/no-pack/pack.json',
  worker: query.get('worker') ?? (() => new Worker(new URL('./page.worker.ts', import.meta.url), { type: 'module' })),
  consent: (query.get('consent') ?? 'granted') as Consent,
  deadlineMs: Number(query.get('deadlineMs') ?? '30000'),
});
window.recommender.on('fallback', ({ code }) => window.reported.push(`fallback ${code}`));
window.recommender.on('changed', ({ reason }) => window.reported.push(`changed ${reason}`));
