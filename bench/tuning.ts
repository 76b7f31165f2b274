import { encoderTable } from './tuning/encoder.ts';
import { interestTable } from './tuning/interest.ts';
import type { Bench } from './harness.ts';

/**
 * What fine-tuning gains and what it forgets, on Online Retail: an interest model trained until September and tuned on October, and the text encoder tuned on what
 * shoppers took together; both judged on November. `BENCH_PART=interest|encoder` runs one of them.
 */
export const tuning: Bench = async () => {
  const part = process.env.BENCH_PART;
  const interest = part === 'encoder' ? { rows: [], tables: [] } : await interestTable();
  const encoder = part === 'interest' ? { rows: [], tables: [] } : await encoderTable();
  return { rows: [...interest.rows, ...encoder.rows], tables: [...interest.tables, ...encoder.tables] };
};
