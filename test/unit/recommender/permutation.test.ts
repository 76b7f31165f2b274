import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPlainCandidate } from '../../../src/page/plain-fields.ts';
import { toDeviceSlate } from '../../../src/page/slate.ts';
import { resolveOptions } from '../../../src/options.ts';

const { fields } = resolveOptions({ pack: 'https://shop/pack.json', worker: '/worker.js' });

const ids = fc.oneof(fc.constantFrom('a', 'b', '__proto__', 'constructor', '', 1, '1', NaN), fc.anything());
const candidates = fc.array(
  fc.oneof(
    fc.record({ id: ids, title: fc.anything(), score: fc.anything(), demand: fc.anything(), vector: fc.anything(), tags: fc.anything() }, { requiredKeys: [] }),
    fc.anything(),
    fc.constant(
      Object.defineProperty({ id: 'trap' }, 'title', {
        get: () => {
          throw new Error('a getter of the shop');
        },
      }),
    ),
    fc.constant(Object.assign(() => undefined, { id: 'function' })),
  ),
  { maxLength: 30 },
);
const ranked = fc.record({ serverPositions: fc.int32Array({ min: -2, max: 40, maxLength: 60 }), scores: fc.float32Array({ maxLength: 60 }) });

describe('a slate', () => {
  it('is a permutation of the candidates up to the limit, whatever came in and whatever was answered', () => {
    fc.assert(
      fc.property(candidates, ranked, fc.nat(40), (list, answer, limit) => {
        const keys = list.map((candidate) => toPlainCandidate(candidate, fields)).map((plain) => plain && String(plain.id));
        const { items } = toDeviceSlate(list, keys, { slate: 's', ranked: answer, complete: true }, limit);
        expect(items.map(({ position }) => position)).toEqual(items.map((_, position) => position));
        expect(items).toHaveLength(Math.min(limit, list.length));
        expect(new Set(items.map(({ serverPosition }) => serverPosition)).size).toBe(items.length);
        for (const { item, serverPosition } of items) expect(item).toBe(list[serverPosition]);
      }),
    );
  });

  it('leaves what was not sent at its server position, and duplicates in their order', () => {
    fc.assert(
      fc.property(candidates, ranked, (list, answer) => {
        const keys = list.map((candidate) => toPlainCandidate(candidate, fields)).map((plain) => plain && String(plain.id));
        const { items } = toDeviceSlate(list, keys, { slate: 's', ranked: answer, complete: true }, Infinity);
        for (const { position, serverPosition } of items) if (keys[serverPosition] === undefined) expect(position).toBe(serverPosition);
        const lastOf = new Map<string, number>();
        for (const { serverPosition } of items) {
          const key = keys[serverPosition];
          if (key === undefined) continue;
          expect(serverPosition).toBeGreaterThan(lastOf.get(key) ?? -1);
          lastOf.set(key, serverPosition);
        }
      }),
    );
  });

  it('sends only what can be cloned', () => {
    fc.assert(
      fc.property(candidates, (list) => {
        structuredClone(list.map((candidate) => toPlainCandidate(candidate, fields)));
      }),
    );
  });
});
