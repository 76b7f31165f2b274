import { describe, expect, it, vi } from 'vitest';
import type { ItemEncoder } from '../../../src/encoder/item-encoder.ts';
import { VectorCache } from '../../../src/encoder/vector-cache.ts';
import { nextTask } from '../../../src/lib/next-task.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';

const REVISION = 'aaaaaaaaaaaaaaaa';

/** Encodes a text as the unit vector at the angle of its length, and keeps what it was asked for. */
function createAngleEncoder(revision = REVISION): ItemEncoder & { readonly asked: string[][] } {
  const asked: string[][] = [];
  return {
    revision,
    dimensions: 2,
    asked,
    async encode(texts) {
      asked.push([...texts]);
      await nextTask();
      return Float32Array.from(texts.flatMap((text) => [Math.cos(text.length), Math.sin(text.length)]));
    },
  };
}

const numbered = (count: number, prefix = 'item'): string[] => Array.from({ length: count }, (_, i) => `${prefix} ${i}`);

describe('the vector cache', () => {
  it('encodes each text once, and says which are ready', async () => {
    const encoder = createAngleEncoder();
    const ready: string[] = [];
    const cache = new VectorCache(encoder, { onReady: (texts) => ready.push(...texts) });
    const texts = numbered(20);
    await Promise.all([cache.enqueue(texts), cache.enqueue(texts.slice(5))]);
    await cache.enqueue(texts);
    expect(encoder.asked.flat()).toEqual(texts);
    expect(ready).toEqual(texts);
    [Math.cos(6), Math.sin(6)].forEach((value, at) => expect(cache.get('item 3')![at]).toBeCloseTo(value, 2));
    expect(Math.hypot(...cache.get('item 3')!)).toBeCloseTo(1, 6);
    expect(cache.get('item 99')).toBeUndefined();
    expect(cache.pending).toBe(0);
  });

  it('tells those who wait what the encoder threw, and goes on', async () => {
    const encoder = createAngleEncoder();
    const encode = vi.spyOn(encoder, 'encode').mockRejectedValueOnce(new Error('device lost'));
    const cache = new VectorCache(encoder);
    await expect(cache.enqueue(['a'])).rejects.toMatchObject({ code: 'INTERNAL' });
    await cache.enqueue(['a']);
    expect(encode).toHaveBeenCalledTimes(2);
    expect(cache.get('a')).toBeDefined();
  });

  it('refuses an encoder that gives too few values', async () => {
    const encoder: ItemEncoder = { ...createAngleEncoder(), encode: () => Promise.resolve(new Float32Array(1)) };
    await expect(new VectorCache(encoder).enqueue(['a'])).rejects.toThrow('gave 1 values for 1 texts');
  });

  it('keeps the most recently used when it is full', async () => {
    const cache = new VectorCache(createAngleEncoder(), { capacity: 2 });
    await cache.enqueue(['a', 'b']);
    cache.get('a');
    await cache.enqueue(['c']);
    expect([cache.get('a'), cache.get('b'), cache.get('c')].map((vector) => vector !== undefined)).toEqual([true, false, true]);
  });
});

describe('the vector cache with a store', () => {
  it('writes what it makes and what it knew before, and reads it again without encoding', async () => {
    const store = createMemoryStore();
    const cache = new VectorCache(createAngleEncoder());
    await cache.enqueue(['before']);
    await cache.attach(store);
    await cache.enqueue(numbered(150));
    await cache.close();
    expect((await store.sizes()).vectors).toBe(151);

    const encoder = createAngleEncoder();
    const next = new VectorCache(encoder);
    await next.attach(store);
    await next.enqueue(['before', ...numbered(150)]);
    expect(encoder.asked).toEqual([]);
    expect(next.get('item 7')).toEqual(cache.get('item 7'));
    await next.close();
    expect((await store.sizes()).vectors).toBe(151);
  });

  it('does not mix revisions', async () => {
    const store = createMemoryStore();
    const old = new VectorCache(createAngleEncoder('bbbbbbbbbbbbbbbb'));
    await old.attach(store);
    await old.enqueue(['a']);
    await old.close();
    const encoder = createAngleEncoder();
    const cache = new VectorCache(encoder);
    await cache.attach(store);
    expect(cache.get('a')).toBeUndefined();
  });

  it('leaves nothing behind when it is cleared while it works', async () => {
    const store = createMemoryStore();
    const cache = new VectorCache(createAngleEncoder());
    await cache.attach(store);
    await cache.enqueue(['known']);
    const waiting = cache.enqueue(numbered(40));
    await nextTask();
    await cache.clear();
    await store.erase();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    for (let i = 0; i < 10; i++) await nextTask();
    expect((await store.sizes()).vectors).toBe(0);
    expect(cache.get('known')).toBeUndefined();
    await cache.enqueue(['later']);
    await cache.flush();
    expect((await store.sizes()).vectors).toBe(1);
  });

  it('goes on in memory when the store refuses', async () => {
    const store = createMemoryStore();
    const failed = vi.fn();
    const cache = new VectorCache(createAngleEncoder(), { onStoreFailed: failed });
    await cache.attach(store);
    await store.close();
    await cache.enqueue(['a']);
    await cache.flush();
    expect(failed).toHaveBeenCalledWith(expect.objectContaining({ code: 'STORAGE_FAILED' }));
    expect(cache.get('a')).toBeDefined();
  });
});

describe('stored vectors', () => {
  it('are the bits that were served before they were stored', async () => {
    const store = createMemoryStore();
    const first = new VectorCache(createAngleEncoder());
    const texts = numbered(300, 'some title');
    await first.enqueue(texts);
    const served = texts.map((text) => first.get(text));
    await first.attach(store);
    await first.close();
    const second = new VectorCache(createAngleEncoder());
    await second.attach(store);
    expect(texts.map((text) => second.get(text))).toEqual(served);
    await second.close();
  });

  it('are joined to one block in idle time, when there are many', async () => {
    const store = createMemoryStore();
    const cache = new VectorCache(createAngleEncoder());
    await cache.attach(store);
    for (const text of numbered(20)) {
      await cache.enqueue([text]);
      await cache.flush();
    }
    await cache.close();
    expect(await store.readVectors(REVISION)).toHaveLength(20);
    const next = new VectorCache(createAngleEncoder());
    await next.attach(store);
    await vi.waitFor(async () => expect(await store.readVectors(REVISION)).toHaveLength(1));
    expect((await store.sizes()).vectors).toBe(20);
    await next.close();
  });
});

describe('provisional vectors', () => {
  it('stand in for a text until its own is there, and are never stored', async () => {
    const store = createMemoryStore();
    const [encoder, provisional] = [createAngleEncoder(), { ...createAngleEncoder(), encode: (texts: readonly string[]) => Promise.resolve(Float32Array.from(texts.flatMap(() => [0, 1]))) }];
    const cache = new VectorCache(encoder, { provisional });
    await cache.attach(store);
    await cache.approximate(['mug', 'ring']);
    expect(cache.get('mug')).toBeUndefined();
    expect([...cache.provisionalOf('mug')!]).toEqual([0, 1]);
    await cache.flush();
    expect((await store.sizes()).vectors).toBe(0);
    await cache.enqueue(['mug']);
    expect([...cache.get('mug')!]).not.toEqual([0, 1]);
    await cache.close();
    expect((await store.readVectors(REVISION)).flatMap(({ keys }) => keys)).toHaveLength(1);
    expect(encoder.asked).toEqual([['mug']]);
  });

  it('are not there without an encoder for them', async () => {
    const cache = new VectorCache(createAngleEncoder());
    await cache.approximate(['mug']);
    expect(cache.isProvisional).toBe(false);
    expect(cache.provisionalOf('mug')).toBeUndefined();
  });
});

describe('the vector of a candidate', () => {
  it('is the one sent with the same revision, at unit length; else the text’s', async () => {
    const cache = new VectorCache(createAngleEncoder());
    await cache.enqueue(['mug', 'only described']);
    const vector = { encoderRevision: REVISION, scale: 0.5, values: Int8Array.of(3, 4) };
    expect([...cache.vectorsOf([{ id: 1, title: 'mug', vector }])[0]!]).toEqual([0.6, 0.8].map(Math.fround));
    const ofText = cache.get('mug');
    expect(cache.vectorsOf([{ id: 1, title: ' mug ' }])[0]).toEqual(ofText);
    expect(cache.vectorsOf([{ id: 1, title: 'mug', vector: { ...vector, encoderRevision: 'bbbbbbbbbbbbbbbb' } }])[0]).toEqual(ofText);
    expect(cache.vectorsOf([{ id: 1, title: 'mug', vector: { ...vector, values: Int8Array.of(1) } }])[0]).toEqual(ofText);
    expect(cache.vectorsOf([{ id: 1, title: 'mug', vector: { ...vector, values: Int8Array.of(0, 0) } }])[0]).toEqual(ofText);
    expect(cache.vectorsOf([{ id: 1, description: 'only described' }])[0]).toEqual(cache.get('only described'));
    expect(cache.vectorsOf([{ id: 1, title: 'unknown' }])[0]).toBeUndefined();
  });
});
