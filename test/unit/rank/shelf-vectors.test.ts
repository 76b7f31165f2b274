import { describe, expect, it, vi } from 'vitest';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { ShelfVectors } from '../../../src/rank/shelf-vectors.ts';

const COLUMNS = 2;
const list = (length: number, first = 0): Float32Array[] => Array.from({ length }, (_, row) => Float32Array.of(first + row, 1));

function setUp() {
  const device = createReferenceDevice();
  const upload = vi.spyOn(device, 'upload');
  const free = vi.spyOn(device, 'free');
  return { device, upload, free, shelves: new ShelfVectors(device, COLUMNS) };
}

describe('vectors of shelves', () => {
  it('are the rows of one tensor, and zeros after them', async () => {
    const { device, shelves } = setUp();
    const vectors = list(3, 5);
    const [products] = await shelves.use(vectors, (shelf) => device.run((ops) => [ops.linear(ops.input(Float32Array.of(1, 10), [1, COLUMNS]), shelf, null)]));
    expect([...products!.subarray(0, 3)]).toEqual([15, 16, 17]);
    expect(products!.subarray(3).every((product) => product === 0)).toBe(true);
  });

  it('are uploaded once per list', async () => {
    const { upload, shelves } = setUp();
    const [home, product] = [list(10), list(10)];
    const tensors = [];
    for (const vectors of [home, product, [...home], product]) tensors.push(await shelves.use(vectors, (shelf) => Promise.resolve(shelf)));
    expect(upload).toHaveBeenCalledTimes(2);
    expect([tensors[2], tensors[3]]).toEqual([tensors[0], tensors[1]]);
    await shelves.use(home.toReversed(), (shelf) => Promise.resolve(shelf));
    expect(upload).toHaveBeenCalledTimes(3);
  });

  it('leave the device when there are too many, the oldest first, but not while a run reads them', async () => {
    const { free, shelves } = setUp();
    let finish = (): void => undefined;
    const running = shelves.use(list(500), () => new Promise<void>((resolve) => (finish = resolve)));
    for (let other = 0; other < 4; other++) await shelves.use(list(300), (shelf) => Promise.resolve(shelf));
    expect(free).toHaveBeenCalledTimes(1); // of those four
    finish();
    await running;
    expect(free).toHaveBeenCalledTimes(2);
  });
});
