/** Listeners of typed events. */
export interface Listeners<EventMap> {
  /** Listens; returns its stop. */
  readonly on: <K extends keyof EventMap>(type: K, listener: (detail: EventMap[K]) => void) => () => void;
  emit<K extends keyof EventMap>(type: K, detail: EventMap[K]): void;
  clear(): void;
}

/** A listener that throws is reported to the page's own error handling, and harms no other. */
export function createListeners<EventMap>(): Listeners<EventMap> {
  let all: { [K in keyof EventMap]?: Set<(detail: EventMap[K]) => void> } = {};

  return {
    on: (type, listener) => {
      // An own function per call: one listener may be there twice, and each stop ends its own.
      const own: typeof listener = (detail) => listener(detail);
      (all[type] ??= new Set()).add(own);
      return () => void all[type]?.delete(own);
    },
    emit: (type, detail) => {
      for (const listener of [...(all[type] ?? [])]) {
        try {
          listener(detail);
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
    clear: () => {
      all = {};
    },
  };
}
