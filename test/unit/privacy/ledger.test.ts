import { describe, expect, it } from 'vitest';
import { createLedger } from '../../../src/privacy/ledger.ts';

describe('the ledger', () => {
  it('lists every request with its reason and bytes, failed ones and code, too', async () => {
    let time = 100;
    const ledger = createLedger({
      now: () => ++time,
      fetchBytes: (address) =>
        address.endsWith('missing') ? Promise.reject(new Error('404')) : Promise.resolve(new Uint8Array(address.length)),
      codeRequests: () => [
        { time: 50, url: 'https://shop/worker.js', reason: 'code of the recommender', bytes: 9 },
        { time: 101, url: 'https://shop/p/pack.json?v=2', reason: 'code of the recommender', bytes: 1 },
      ],
    });
    await ledger.readBytes('https://shop/p/pack.json?v=2');
    await ledger.readBytes('https://shop/p/weights.safetensors');
    await expect(ledger.readBytes('https://shop/p/missing')).rejects.toThrow('404');
    expect(ledger.entries()).toEqual([
      { time: 50, url: 'https://shop/worker.js', reason: 'code of the recommender', bytes: 9 },
      { time: 101, url: 'https://shop/p/pack.json?v=2', reason: 'what a pack is', bytes: 28 },
      { time: 102, url: 'https://shop/p/weights.safetensors', reason: 'a file of a pack', bytes: 34 },
      { time: 103, url: 'https://shop/p/missing', reason: 'a file of a pack', bytes: 0 },
    ]);
  });
});
