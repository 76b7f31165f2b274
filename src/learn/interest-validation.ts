import type { Sample } from '../evaluate/bootstrap.ts';
import { logSumExp } from '../forecast/interest.ts';
import { plainStream, type EventStream } from './augmentation.ts';
import { CART, PURCHASE, type Histories } from './histories.ts';
import type { InterestNetwork } from './interest-network.ts';
import { cutIntoChunks, type Chunk } from './lanes.ts';
import { QUESTIONS, type Protocol } from './protocol.ts';
import { heldFrom } from './split-log.ts';

/** A log of which each history's end is held back. */
export interface ValidationData {
  readonly protocol: Protocol;
  readonly training: Histories;
  readonly refit: Histories;
}

const VALIDATION_EVENTS = 300; // per shopper, the newest: the state forgets older ones anyway
const DEPTH = 10;

/**
 * NDCG@10 of each question that the protocol asks of the validation part, all items ranked, with the shopper who was asked. Several networks
 * of one shape answer as an ensemble: by the mean of their log-probabilities (a product of experts). Their states are reset.
 */
export function validateInterest(networks: readonly InterestNetwork[], data: ValidationData): Sample[] {
  const { leavesOut, mostLines } = QUESTIONS[data.protocol];
  const { item, session, offsets, kind } = data.refit;
  const { lanes, steps } = networks[0]!.shape;
  const held = heldFrom(data);
  const shopperOf = new Map<number, number>();
  const isNext = (event: number): boolean => event > 0 && session[event - 1] === session[event];
  const lineOf = (event: number): number => {
    let line = 0;
    while (line <= mostLines && isNext(event - line)) line++;
    return line;
  };
  function* streams(): Generator<EventStream, undefined> {
    for (const user of validationShoppers(data, held)) {
      const end = offsets[user + 1]!;
      const from = held[user]!;
      const first = Math.max(offsets[user]!, end - VALIDATION_EVENTS);
      for (let event = from; event < end; event++) shopperOf.set(event, user);
      yield plainStream(data.refit, first, end, {
        kindOf: (event) => (data.protocol === 'temporal' && event >= from && kind[event] === PURCHASE ? CART : kind[event]!),
        labelOf: (event) => (event >= from && isNext(event) && lineOf(event) <= mostLines ? event : -1),
      });
    }
    return undefined;
  }
  const gains: Sample[] = [];
  for (const network of networks) network.resetState();
  for (const chunk of cutIntoChunks(streams(), lanes, steps)) {
    predictTogether(networks, chunk, (row, scores) => {
      const event = chunk.targetLabel[row]!;
      const target = scores[item[event]!]!;
      let rank = 0;
      for (const score of scores) if (score > target) rank++;
      if (leavesOut) for (let before = event; isNext(before); before--) if (scores[item[before - 1]!]! > target) rank--;
      gains.push({ customer: shopperOf.get(event)!, value: rank < DEPTH ? 1 / Math.log2(rank + 2) : 0 });
    });
  }
  for (const network of networks) network.resetState();
  return gains;
}

/** Mean of the gains; 0 without any. */
export function meanGain(gains: readonly Sample[]): number {
  return gains.length === 0 ? 0 : gains.reduce((sum, { value }) => sum + value, 0) / gains.length;
}

/** Calls back with [items] scores of each labelled row: one network's own, or the sum of several networks' log-probabilities. */
function predictTogether(networks: readonly InterestNetwork[], chunk: Chunk, visit: (row: number, scores: Float32Array) => void): void {
  const isAsked = (row: number): boolean => chunk.targetLabel[row]! >= 0;
  if (networks.length === 1) {
    networks[0]!.predict(chunk, isAsked, visit);
    return;
  }
  const sums = new Map<number, Float32Array>();
  for (const network of networks) {
    network.predict(chunk, isAsked, (row, scores) => {
      const normaliser = logSumExp(scores);
      const sum = sums.get(row) ?? new Float32Array(scores.length);
      for (let item = 0; item < scores.length; item++) sum[item]! += scores[item]! - normaliser;
      sums.set(row, sum);
    });
  }
  for (const [row, scores] of sums) visit(row, scores);
}

/** Users with a validation part, spread evenly over all there are. */
function validationShoppers({ protocol, refit: { users, offsets } }: ValidationData, held: Int32Array): number[] {
  const { newShoppers, shoppers } = QUESTIONS[protocol];
  const asked = Array.from({ length: users }, (_, user) => user).filter((user) => {
    const end = offsets[user + 1]!;
    const isKnown = held[user]! > Math.max(offsets[user]!, end - VALIDATION_EVENTS);
    return held[user]! < end && end - offsets[user]! >= 2 && (newShoppers || isKnown);
  });
  const step = Math.max(1, asked.length / shoppers);
  return Array.from({ length: Math.min(asked.length, shoppers) }, (_, k) => asked[Math.floor(k * step)]!);
}
