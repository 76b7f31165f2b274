import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import { describeShopperStore } from './store-contract.ts';

describeShopperStore('memory store', () => Promise.resolve(createMemoryStore()));
