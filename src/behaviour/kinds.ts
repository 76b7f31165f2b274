import type { BehaviourKind } from '../types.ts';

/** Every kind in the order of the models' one-hot inputs and of p(next kind); packs depend on it, so only append. */
export const BEHAVIOUR_KINDS = [
  'view',
  'click',
  'impression',
  'search',
  'cart',
  'remove',
  'wishlist',
  'purchase',
  'rate',
  'share',
  'dwell',
] as const satisfies readonly BehaviourKind[];
