import { ERROR_CODES, RecommenderError } from '../errors.ts';
import type { Device, Workload } from './device.ts';

/** Known inputs and outputs that a pack brings, ready to run: a device that answers otherwise must not serve. */
export interface GoldenCase {
  readonly workload: Workload;
  /** Runs the pack's model on its golden inputs. */
  run(device: Device): Promise<Float32Array>;
  /** What the trained model gave, in float32. */
  readonly expected: Float32Array;
  /** Length of the vectors that `expected` consists of, where their directions are what counts; else its values do. */
  readonly vectorLength?: number;
}

/** Arithmetic of fewer bits than float32 turns a vector a little, by as much in each run: its values are not the trained model's. */
const COARSE_KERNEL = /int8|f16/;
/** Of unit vectors from a coarse kernel and from float32. */
const LEAST_COSINE = 0.998;
const LENGTH_TOLERANCE = 0.01; // of squares

/** `late` marks no answer in time: the device may be stuck, and its other workloads with it. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly late: boolean };

/**
 * Runs golden cases on a device, one after another, until one fails.
 * @param options.timeoutMs for all cases together, shader compilation included; default 4000.
 * @param options.tolerance largest difference allowed, relative to the largest expected magnitude; default 1e-3, which
 * float32 kernels of any summation order meet and a wrong kernel does not. Vectors of an int8 or f16 kernel are judged by their
 * cosine instead, at least 0.998 each.
 */
export async function checkDevice(
  device: Device,
  cases: readonly GoldenCase[],
  { timeoutMs = 4000, tolerance = 1e-3 }: { timeoutMs?: number; tolerance?: number } = {},
): Promise<Verdict> {
  const deadline = performance.now() + timeoutMs;
  for (const [index, golden] of cases.entries()) {
    const name = `golden vector ${index + 1}`;
    const answer = await answerWithin(deadline - performance.now(), () => golden.run(device));
    // A kernel that blocks this thread answers before the timer can fire: the clock is asked as well.
    if (answer === 'late' || performance.now() > deadline) {
      return { ok: false, reason: `did not answer ${name} within ${timeoutMs} ms`, late: true };
    }
    if (answer instanceof Error) return { ok: false, reason: `failed on ${name}: ${reasonOf(answer)}`, late: false };
    const { expected, vectorLength } = golden;
    const isCoarse = vectorLength !== undefined && COARSE_KERNEL.test(device.kernel);
    const difference = isCoarse ? describeTurn(answer, expected, vectorLength) : describeDifference(answer, expected, tolerance);
    if (difference !== null) return { ok: false, reason: `${difference} on ${name}`, late: false };
  }
  return { ok: true };
}

/** A promise's value, the error that it threw, or `late`; never rejects and never waits longer. */
export async function answerWithin<T>(milliseconds: number, run: () => Promise<T>): Promise<T | Error | 'late'> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), Math.max(0, milliseconds));
  });
  try {
    return await Promise.race([run(), late]);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    clearTimeout(timer);
  }
}

/** An error's own words, without the sentence that its code stands for and without a full stop, to go on from. */
export function reasonOf(error: Error): string {
  const general = error instanceof RecommenderError ? ERROR_CODES[error.code] : '';
  const own = error.message === general ? general : error.message.replace(general, '').trim();
  return own.replace(/\.$/, '');
}

/** The first difference that matters, in words, or null where the values agree. */
function describeDifference(actual: Float32Array, expected: Float32Array, tolerance: number): string | null {
  if (actual.length !== expected.length) return `gave ${actual.length} values instead of ${expected.length}`;
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
  for (const [index, value] of actual.entries()) {
    const wanted = expected[index]!;
    // Written so that NaN fails.
    if (!(Math.abs(value - wanted) <= tolerance * scale)) return `gave ${toText(value)} instead of ${toText(wanted)}`;
  }
  return null;
}

/** The first vector that points elsewhere, in words, or null where all directions agree. */
function describeTurn(actual: Float32Array, expected: Float32Array, vectorLength: number): string | null {
  if (actual.length !== expected.length) return describeDifference(actual, expected, 0);
  for (let start = 0; start < expected.length; start += vectorLength) {
    let [product, actualSquare, expectedSquare] = [0, 0, 0];
    for (let k = start; k < start + vectorLength; k++) {
      product += actual[k]! * expected[k]!;
      actualSquare += actual[k]! ** 2;
      expectedSquare += expected[k]! ** 2;
    }
    const cosine = product / Math.sqrt(actualSquare * expectedSquare);
    // Written so that NaN fails; a direction alone would let a vector of any length pass.
    if (!(cosine >= LEAST_COSINE && Math.abs(actualSquare / expectedSquare - 1) <= LENGTH_TOLERANCE)) return `gave a vector of cosine ${toText(cosine)} to the trained model's`;
  }
  return null;
}

function toText(value: number): string {
  return String(Number(value.toPrecision(4)));
}
