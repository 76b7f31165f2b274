import { describe, expect, it } from 'vitest';
import { race } from '../../../src/compute/race.ts';

describe('race', () => {
  it('runs the lanes in turn, warms each up once, and gives a median for each', async () => {
    const order: number[] = [];
    const lane = (name: number, milliseconds: number) => (): Promise<void> => {
      if (order.at(-1) !== name) order.push(name);
      for (const start = performance.now(); performance.now() - start < milliseconds; );
      return Promise.resolve();
    };
    const times = await race([lane(0, 3), lane(1, 6)], () => false);
    expect(times![0]).toBeGreaterThanOrEqual(3);
    expect(times![1]).toBeGreaterThanOrEqual(6);
    expect(order).toEqual(order.map((_, at) => at % 2));
    expect(order.length).toBeGreaterThanOrEqual(4);
  });

  it('repeats work that is too short for the clock', async () => {
    let runs = 0;
    const work = (): Promise<void> => {
      runs++;
      return Promise.resolve();
    };
    const [milliseconds] = (await race([work], () => false))!;
    expect(runs).toBeGreaterThan(100);
    expect(milliseconds).toBeGreaterThan(0);
  });

  it('stops when somebody asks for something, and passes on what a lane throws', async () => {
    let asked = 0;
    expect(await race([() => Promise.resolve()], () => ++asked === 2)).toBeNull();
    await expect(race([() => Promise.reject(new Error('lost'))], () => false)).rejects.toThrow('lost');
  });
});
