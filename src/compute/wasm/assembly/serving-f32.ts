// The serving module whose arithmetic is all float32.
export * from './serving';
export { linearQuantised, packQuantised, quantisedBytes } from './quantised-f32';
