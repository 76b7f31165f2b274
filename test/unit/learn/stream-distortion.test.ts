// Distortions that `npm run bench -- helps` tries.
import { describe, expect, test } from 'vitest';
import { distortStream, hideMasked, NO_DISTORTION } from '../../../bench/helps/stream-distortion.ts';
import type { EventStream } from '../../../src/learn/augmentation.ts';
import { VIEW } from '../../../src/learn/histories.ts';
import { cutIntoChunks } from '../../../src/learn/lanes.ts';
import { createRandom } from '../../../src/lib/random.ts';

describe('distorted streams', () => {
  const length = 20;
  const stream: EventStream = {
    item: Int32Array.from({ length }, (_, at) => 100 + at),
    kind: new Uint8Array(length).fill(VIEW),
    gap: Float32Array.from({ length }, (_, at) => (at === 0 ? NaN : at)),
    price: Float32Array.from({ length }, (_, at) => 2 * at),
    weight: new Float32Array(length).fill(1),
    label: null,
  };

  test('a crop is a stretch of the events that begins without a gap', () => {
    const { item, gap, price } = distortStream(stream, createRandom(1), { ...NO_DISTORTION, crop: 1, cropShare: 0.5 });
    expect(item.length).toBe(10);
    item.forEach((one, at) => expect(one).toBe(item[0]! + at));
    expect(gap[0]).toBeNaN();
    expect([...price]).toEqual(Array.from(item, (one) => 2 * (one - 100)));
  });

  test('reordering shuffles one stretch and keeps every event and the moments', () => {
    const { item, gap } = distortStream(stream, createRandom(2), { ...NO_DISTORTION, reorder: 1, reorderShare: 0.3 });
    expect([...item].sort()).toEqual([...stream.item]);
    const moved = [...item.keys()].filter((at) => item[at] !== stream.item[at]);
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.at(-1)! - moved[0]!).toBeLessThan(6);
    expect(gap).toEqual(stream.gap);
  });

  test('a masked event is not read, but predicted', () => {
    const distorted = distortStream(stream, createRandom(3), { ...NO_DISTORTION, mask: 0.5 });
    const [chunk, plain] = [distorted, stream].map((one) => cutIntoChunks([one].values(), 1, length).next().value!);
    const { item, price, targetItem, targetWeight } = hideMasked(chunk!);
    const hidden = [...item.keys()].filter((row) => row > 0 && item[row] === -1);
    expect(hidden.length).toBeGreaterThan(4);
    expect(hidden.length).toBeLessThan(15);
    item.forEach((one, row) => expect([one, price[row]]).toEqual(hidden.includes(row) ? [-1, 0] : [plain!.item[row], plain!.price[row]]));
    expect({ targetItem, targetWeight }).toEqual({ targetItem: stream.item, targetWeight: stream.weight });
  });

  test('without a chance the stream is left as it is', () => {
    expect(distortStream(stream, createRandom(4), NO_DISTORTION)).toBe(stream);
  });
});
