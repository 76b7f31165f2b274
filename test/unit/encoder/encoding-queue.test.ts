import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EncodingQueue, PRIORITY, type TextToEncode } from '../../../src/encoder/encoding-queue.ts';
import type { ItemEncoder } from '../../../src/encoder/item-encoder.ts';
import { RecommenderError } from '../../../src/errors.ts';

/** Takes `msPerCharacter` of a clock that stands still otherwise, and keeps what it was asked for. */
function createTimedEncoder(msPerCharacter = 0.01): ItemEncoder & { readonly slices: string[][] } {
  const slices: string[][] = [];
  return {
    revision: 'aaaaaaaaaaaaaaaa',
    dimensions: 1,
    slices,
    encode(texts) {
      slices.push([...texts]);
      clock += msPerCharacter * texts.reduce((sum, text) => sum + text.length, 0);
      return Promise.resolve(new Float32Array(texts.length));
    },
  };
}

let clock = 0;
beforeEach(() => void vi.spyOn(performance, 'now').mockImplementation(() => clock));
afterEach(() => vi.restoreAllMocks());

const titles = (count: number, length = 40): TextToEncode[] =>
  Array.from({ length: count }, (_, at) => `${at} `.padEnd(length, 'x')).map((text) => ({ key: text, text }));
const waitIdly = async (): Promise<void> => {
  clock += 1_000;
  await new Promise((resolve) => setTimeout(resolve, 60));
};

describe('slices', () => {
  it.each([0.05, 0.5, 5])('at %d ms per character take less than 20 ms, or are one text, once it is known what texts take', async (msPerCharacter) => {
    const encoder = createTimedEncoder(msPerCharacter);
    const queue = new EncodingQueue(encoder, () => undefined);
    await queue.enqueue(titles(200), PRIORITY.candidate);
    expect(encoder.slices.flat()).toHaveLength(200);
    for (const slice of encoder.slices.slice(3)) {
      if (slice.length > 1) expect(msPerCharacter * slice.join('').length).toBeLessThan(20);
    }
    expect(encoder.slices[0]).toHaveLength(1);
  });

  it('are large where the device is fast', async () => {
    const encoder = createTimedEncoder(0.001);
    await new EncodingQueue(encoder, () => undefined).enqueue(titles(500), PRIORITY.candidate);
    expect(encoder.slices.length).toBeLessThan(10);
  });

  it('hold texts of like length', async () => {
    const encoder = createTimedEncoder(0.001);
    const mixed = titles(60).flatMap((title, at) => [title, titles(60, 300)[at]!]);
    await new EncodingQueue(encoder, () => undefined).enqueue(mixed, PRIORITY.candidate);
    for (const slice of encoder.slices) expect(new Set(slice.map(({ length }) => length)).size).toBe(1);
  });
});

describe('the order', () => {
  it('a request during a long encode is served after one slice', async () => {
    const done: string[] = [];
    const encoder = createTimedEncoder(0.1);
    const queue = new EncodingQueue(encoder, () => undefined);
    const long = queue.enqueue(titles(500), PRIORITY.candidate).then(() => done.push('long'));
    while (encoder.slices.length < 5) await new Promise((resolve) => setImmediate(resolve));
    const before = encoder.slices.length;
    await queue.enqueue([{ key: 'click', text: 'what was clicked' }], PRIORITY.event).then(() => done.push('click'));
    const at = encoder.slices.findIndex((slice) => slice.includes('what was clicked'));
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(before + 1);
    expect(encoder.slices[at]).toHaveLength(1);
    await long;
    expect(done).toEqual(['click', 'long']);
  });

  it('raises a text that waits already', async () => {
    const encoder = createTimedEncoder(1);
    const queue = new EncodingQueue(encoder, () => undefined);
    const all = titles(20);
    const slow = queue.enqueue(all, PRIORITY.candidate);
    await queue.enqueue([all[19]!], PRIORITY.event);
    expect(encoder.slices[0]).toEqual([all[19]!.text]);
    await slow;
    expect(encoder.slices.flat()).toHaveLength(20);
  });
});

describe('prefetching', () => {
  it('waits while a request is under way and until some time after it; what is urgent does not', async () => {
    const encoder = createTimedEncoder();
    const queue = new EncodingQueue(encoder, () => undefined);
    const end = queue.beginRequest();
    const prefetched = queue.enqueue(titles(3), PRIORITY.prefetch);
    await waitIdly();
    expect(encoder.slices).toEqual([]);
    await queue.enqueue([{ key: 'now', text: 'now' }], PRIORITY.candidate);
    expect(encoder.slices).toEqual([['now']]);
    end();
    await new Promise((resolve) => setTimeout(resolve, 120)); // by its own clock, no time has passed
    expect(encoder.slices).toHaveLength(1);
    await waitIdly();
    await prefetched;
    expect(encoder.slices.flat()).toHaveLength(4);
  });

  it('can be given up; what somebody else wants as well is made all the same', async () => {
    const encoder = createTimedEncoder();
    const queue = new EncodingQueue(encoder, () => undefined);
    const end = queue.beginRequest();
    const abort = new AbortController();
    const all = titles(5);
    const mine = queue.enqueue(all, PRIORITY.prefetch, abort.signal);
    const theirs = queue.enqueue(all.slice(0, 2), PRIORITY.prefetch);
    abort.abort();
    await expect(mine).rejects.toMatchObject({ code: 'ABORTED' });
    expect(queue.pending).toBe(2);
    end();
    await waitIdly();
    await theirs;
    expect(encoder.slices.flat()).toEqual(all.slice(0, 2).map(({ text }) => text));
    await expect(queue.enqueue(all, PRIORITY.prefetch, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    expect(queue.pending).toBe(0);
  });

  it('ends with the queue', async () => {
    const queue = new EncodingQueue(createTimedEncoder(), () => undefined);
    queue.beginRequest();
    const prefetched = queue.enqueue(titles(3), PRIORITY.prefetch);
    queue.drop(new RecommenderError('CLOSED'));
    await expect(prefetched).rejects.toMatchObject({ code: 'CLOSED' });
    expect(queue.pending).toBe(0);
  });
});
