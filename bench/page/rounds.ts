/** One way of doing the work that is compared: gives its result, so that contenders can be held against each other. */
export type Contender = () => Float32Array | Promise<Float32Array>;

/** One value a round for each contender, milliseconds of one call. */
export type Times<Name extends string = string> = Record<Name, number[]>;

/** Work below this is timed in batches of at least so many calls, since the page's clock has steps of 0.1 ms. */
const SHORT_MS = 1;
const SHORT_CALLS = 1_000;
/** All work is repeated until a round has seen this much of it: a single collection of garbage takes as long as hundreds of short calls. */
const ROUND_MS = 300;
const WARM_UP_MS = 300;

export interface RoundOptions {
  readonly rounds: number;
  /** How far a contender's result may be from the first one's. */
  readonly tolerance: number;
  /** How far one result is from another; default the largest absolute difference. */
  readonly distance?: (a: Float32Array, b: Float32Array) => number;
}

/**
 * Times contenders in turn, the first one changing every round, so that a machine that slows down slows all of them.
 * Their results must agree before anything is timed.
 */
export async function timeRounds<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  { rounds, tolerance, distance = largestDifference }: RoundOptions,
): Promise<Times<Name>> {
  const names = Object.keys(contenders) as Name[];
  const expected = (await contenders[names[0]!]()).slice();
  const calls = new Map<Name, number>();
  for (const name of names) {
    const difference = distance(expected, await contenders[name]());
    if (!(difference <= tolerance)) throw new Error(`${name} differs from ${names[0]!} by ${difference}: the work is not the same.`);
    calls.set(name, callsOf(await warmUp(contenders[name])));
  }
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Times<Name>;
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]!;
      times[name].push(await timeCalls(contenders[name], calls.get(name)!));
    }
  }
  return times;
}

/** Largest absolute difference; NaN where one value is none, infinite where the lengths differ. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((largest, value, at) => {
    const difference = Math.abs(value - b[at]!);
    return difference > largest || Number.isNaN(difference) ? difference : largest;
  }, 0);
}

/** Calls until compilers have settled -> milliseconds of one call. */
async function warmUp(work: Contender): Promise<number> {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  while (elapsed < WARM_UP_MS || calls < 2) {
    await work();
    calls += 1;
    elapsed = performance.now() - start;
  }
  return elapsed / calls;
}

function callsOf(milliseconds: number): number {
  return Math.max(milliseconds < SHORT_MS ? SHORT_CALLS : 1, Math.ceil(ROUND_MS / milliseconds));
}

async function timeCalls(work: Contender, calls: number): Promise<number> {
  const start = performance.now();
  for (let call = 0; call < calls; call++) await work();
  return (performance.now() - start) / calls;
}
