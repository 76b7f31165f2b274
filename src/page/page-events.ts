/** Calls back when the page may end or enter the back/forward cache, and when it is back; returns its stop. */
export function onPageState({ hide, show }: { hide: (mayEnd: boolean) => void; show: () => void }): () => void {
  if (typeof document === 'undefined') return () => undefined;
  const stop = new AbortController();
  const options = { signal: stop.signal };
  const hidden = (): void => hide(true);
  // Phones end a hidden page without a pagehide.
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && hide(false), options);
  window.addEventListener('pagehide', hidden, options);
  document.addEventListener('freeze', hidden, options);
  window.addEventListener('pageshow', (event) => event.persisted && show(), options);
  document.addEventListener('resume', show, options);
  return () => stop.abort();
}
