import { openShopperStore } from './indexeddb-store.ts';
import type { ShopperStore } from './shopper-store.ts';
import { createTabChannel } from './tab-channel.ts';
import type { TabChannel } from './tab-channel.ts';
import { createWriterLock } from './writer-lock.ts';
import type { WriterLock } from './writer-lock.ts';

/** One tab's part in the database that all tabs share. */
export interface TabSharing {
  /** Opens the database; while it is open this tab is told of changes and may become the writer of model state. */
  open(): Promise<ShopperStore>;
  readonly isWriter: () => boolean;
  /** Lets go of what would keep a hidden page out of the back/forward cache, and takes part again when it is shown. */
  readonly onPageState: (state: 'shown' | 'hidden') => void;
}

/** @param lock replaced in tests */
export function createTabSharing(database: string, lock: WriterLock = createWriterLock(database)): TabSharing {
  const channels = new Set<TabChannel>();
  let hidden = false;

  function follow(): void {
    if (channels.size > 0 && !hidden) lock.acquire();
    else lock.release();
  }

  return {
    open: async () => {
      const tabs = createTabChannel(database);
      const store = await openShopperStore(database, { tabs });
      channels.add(tabs);
      if (hidden) tabs.pause();
      follow();
      return {
        ...store,
        close: async () => {
          channels.delete(tabs);
          follow();
          await store.close();
        },
      };
    },
    isWriter: () => lock.isWriter(),
    onPageState: (state) => {
      hidden = state === 'hidden';
      follow();
      for (const tabs of channels) {
        if (hidden) tabs.pause();
        else tabs.resume();
      }
    },
  };
}
