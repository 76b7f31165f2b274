// The serving module that multiplies int8 weights as they are.
export * from './serving';
export { linearQuantised, packQuantised, quantisedBytes } from './quantised-int8';
