import type { ItemEncoder } from './item-encoder.ts';

/** Stands in where a pack names no encoder: its items are known by identity alone, and texts have no dimensions. */
export const NO_TEXT_ENCODER: ItemEncoder = { revision: '', dimensions: 0, encode: () => Promise.resolve(new Float32Array(0)) };
