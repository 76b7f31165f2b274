export { packRight } from './panels';
