import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBehaviourRow } from '../../../src/behaviour/event-log.ts';
import { RecommenderError } from '../../../src/errors.ts';

const context = { partition: 'anonymous', now: 1_700_000_000_000 };
const payloadOf = (event: unknown) => {
  const made = toBehaviourRow({ id: 'e', event }, context);
  return made instanceof RecommenderError ? made.code : made.payload;
};

describe('the event log', () => {
  it('makes a row of a documented event', () => {
    const event = { type: 'cart', item: { id: '85123A', title: 'Mug', price: 2.5, tags: ['red'] }, slate: 's', value: 2, time: 7 };
    expect(toBehaviourRow({ id: 'e', event }, context)).toEqual({ id: 'e', partition: 'anonymous', schemaVersion: 1, payload: event });
  });

  it('reads numbers and their decimal strings as the same id', () => {
    expect(payloadOf({ type: 'view', item: { id: 22423 } })).toEqual(payloadOf({ type: 'view', item: { id: '22423' } }));
    expect(payloadOf({ type: 'view', item: { id: '__proto__' } })).toMatchObject({ item: { id: '__proto__' } });
  });

  it('leaves out what is not finite or of another type, and keeps the event', () => {
    const event = { type: 'dwell', item: { id: 'a', price: NaN, title: 5, tags: ['x', 1, null] }, value: Infinity, time: NaN, query: '  ' };
    expect(payloadOf(event)).toEqual({ type: 'dwell', item: { id: 'a', tags: ['x'] }, time: context.now });
  });

  it('cuts texts that nobody typed or titled', () => {
    const payload = payloadOf({ type: 'search', query: 'q'.repeat(100_000) });
    expect(payload).toMatchObject({ query: 'q'.repeat(500) });
  });

  it.each([
    [null],
    ['view'],
    [[]],
    [{}],
    [{ type: 'toString', item: { id: 'a' } }],
    [{ type: 'view' }],
    [{ type: 'view', item: { title: 'no id' } }],
    [{ type: 'view', item: { id: NaN } }],
    [{ type: 'view', item: { id: '' } }],
    [{ type: 'search' }],
    [{ type: 'impression' }],
  ])('refuses %j', (event) => {
    expect(payloadOf(event)).toBe('INVALID_EVENT');
  });

  it('takes an impression of a whole slate', () => {
    expect(payloadOf({ type: 'impression', slate: 's', time: 1 })).toEqual({ type: 'impression', slate: 's', time: 1 });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (type, item) => {
        toBehaviourRow({ id: 'e', event: { type, item } }, context);
        toBehaviourRow({ id: 'e', event: { type: 'view', item } }, context);
        toBehaviourRow({ id: 'e', event: item }, context);
      }),
    );
  });
});
