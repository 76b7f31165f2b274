import { encoderTable } from './tuning/encoder.ts';
import { interestTable } from './tuning/interest.ts';
import type { Bench } from './harness.ts';

/**
 * What fine-tuning gains and what it forgets, on Online Retail: an interest model trained until September and tuned on October, and the text encoder tuned on what
 * shoppers took together; both judged on November. `BENCH_PART=interest|encoder` runs one of them; `BENCH_ONE_IN` (default 4) is the share of shoppers that the interest model sees,
 * `BENCH_METHODS` and `BENCH_EPOCHS` what the encoder is tuned by, and `BENCH_PACKS` names folders of tuned encoders that are judged as they are.
 */
export const tuning: Bench = async () => {
  const part = process.env.BENCH_PART;
  const interest = part === 'encoder' ? { rows: [], tables: [] } : await interestTable();
  const encoder = part === 'interest' ? { rows: [], tables: [] } : await encoderTable();
  return { rows: [...interest.rows, ...encoder.rows], tables: [...interest.tables, ...encoder.tables] };
};
