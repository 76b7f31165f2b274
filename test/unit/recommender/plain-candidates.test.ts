import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveOptions } from '../../../src/options.ts';
import { PlainCandidates } from '../../../src/page/plain-candidates.ts';
import { toPlainCandidate } from '../../../src/page/plain-fields.ts';

const { fields } = resolveOptions({ pack: 'https://shop/pack.json', worker: '/worker.js' });
const mug = { id: 'mug', title: 'Mug', description: 'Red', tags: ['red', 'round'], category: 'kitchen', brand: 'Potter', price: 3, score: 0.5, vector: { encoderRevision: 'r', scale: 0.1, values: [1, 2] }, demand: { asOf: 7, values: [1, null, 3] } };

/** One field that is another, in every way that a shop's data may change. */
const CHANGES: Readonly<Record<string, unknown>>[] = [
  { title: 'Mug, blue' }, { title: undefined }, { description: '' }, { tags: ['red'] }, { tags: ['red', 'oval'] }, { tags: undefined }, { category: null }, { brand: 4 },
  { price: 4 }, { price: NaN }, { score: 0.4 }, { score: undefined }, { vector: undefined }, { vector: { ...mug.vector, scale: 0.2 } }, { vector: { ...mug.vector, values: [1, 3] } },
  { vector: { ...mug.vector, encoderRevision: 's' } }, { demand: undefined }, { demand: { asOf: 8, values: [1, null, 3] } }, { demand: { asOf: 7, values: [1, 2, 3] } }, { demand: { asOf: 7, values: [1, null] } },
];

describe('plain copies of candidates', () => {
  it('are the same object for as long as nothing that is read has changed', () => {
    const copies = new PlainCandidates(fields);
    const first = copies.read(mug);
    expect(first).toEqual(toPlainCandidate(mug, fields));
    expect(copies.read(mug)).toBe(first);
    expect(copies.read({ ...structuredClone(mug), picture: 'mug.jpg' })).toBe(first);
  });

  it.each(CHANGES)('are made anew after %o', (change) => {
    const copies = new PlainCandidates(fields);
    const first = copies.read(mug);
    const changed = { ...mug, ...change };
    expect(copies.read(changed)).not.toBe(first);
    expect(copies.read(changed)).toEqual(toPlainCandidate(changed, fields));
    expect(copies.read(mug)).toEqual(first);
  });

  it('are not made of a candidate whose lists throw', () => {
    const trap = new Proxy(['red'], {
      get: () => {
        throw new Error('a proxy of the shop');
      },
    });
    const copies = new PlainCandidates(fields);
    expect(copies.readAll([mug, { ...mug, tags: trap }, { id: 'b', tags: trap }])).toEqual([toPlainCandidate(mug, fields)]);
  });

  it('are what a new copy would be, whatever came before', () => {
    const value = fc.oneof(fc.constantFrom('a', '', 1, NaN, null, undefined), fc.array(fc.constantFrom('a', 1, null)), fc.record({ asOf: fc.constantFrom(1, 2), values: fc.array(fc.constantFrom(1, null, 'x')) }));
    const source = fc.record({ id: fc.constantFrom('a', 'b', 1), title: value, tags: value, price: value, demand: value, vector: value });
    fc.assert(
      fc.property(fc.array(source), (sources) => {
        const copies = new PlainCandidates(fields);
        for (const each of sources) expect(copies.read(each)).toEqual(toPlainCandidate(each, fields));
      }),
    );
  });
});
