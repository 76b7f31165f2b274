import { expect, test } from 'vitest';
import { BEHAVIOUR_KINDS } from '../../../src/behaviour/kinds.ts';
import type { InterestModel, NextInterest } from '../../../src/forecast/interest.ts';
import { nextBehaviours } from '../../../src/rank/next-behaviours.ts';

test('p(item, kind) sums to 1 over items and kinds, is the product of its parts, and knows no kind without an item', () => {
  const kinds = new Float32Array(BEHAVIOUR_KINDS.length).fill(0.05);
  kinds[BEHAVIOUR_KINDS.indexOf('cart')] = 0.3;
  kinds[BEHAVIOUR_KINDS.indexOf('search')] = 0.4; // the most probable of all
  const next: NextInterest = { user: new Float32Array(0), userText: new Float32Array(0), kinds, catalogueScores: Float32Array.of(0, Math.log(2)), logNormaliser: 0, daysToPurchase: 12 };
  const unseen = { unseenScore: () => Math.log(5) } as unknown as InterestModel;
  const answer = nextBehaviours(unseen, next, [{ id: 'a', index: 0, vector: null }, { id: 'b', index: 1, vector: null }, { id: 'new', index: -1, vector: new Float32Array(1) }]);
  expect(answer.map(({ id }) => id)).toEqual(['new', 'b', 'a']);
  expect(answer.map(({ probability }) => probability).map((value) => Number(value.toFixed(5)))).toEqual([0.625, 0.25, 0.125]);
  const joint = answer.flatMap((one) => Object.values(one.kinds));
  expect(joint).toHaveLength(3 * (BEHAVIOUR_KINDS.length - 2));
  expect(joint.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  expect(answer[0]!.kinds.cart).toBeCloseTo(0.625 * (0.3 / 0.7), 5); // of .7 that the kinds with an item share
  expect(answer[0]).toMatchObject({ kind: 'cart', daysToPurchase: 12 });
  expect(answer[0]!.kinds).not.toHaveProperty('search');
});
