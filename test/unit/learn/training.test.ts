import { describe, expect, test } from 'vitest';
import { createTrainingKernels } from '../../../src/compute/create-training-kernels.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { groupByUser, logBefore, PURCHASE, type LogColumns } from '../../../src/learn/histories.ts';
import type { ItemLossOptions } from '../../../src/learn/losses.ts';
import type { SequenceOptions } from '../../../src/learn/sequence-layer.ts';
import { DEFAULT_INTEREST_TRAINING, trainInterest, type Distortion, type InterestCheckpoint, type InterestData, type InterestHooks } from '../../../src/learn/interest-training.ts';
import { sessionData, viewingShoppers } from '../../helpers/viewing-shoppers.ts';

const ITEMS = 12;
const SHOPPERS = 60;
const LINES = 8;
const VISITS = 3; // the last one validates
const SECONDS_APART = 500_000;
const VALIDATION_FROM = (VISITS - 1) * SECONDS_APART;

/** Shoppers who buy items round and round: after i comes i + 1, which a model can learn whole. */
function ringLog(): LogColumns {
  const rows = Array.from({ length: VISITS * SHOPPERS * LINES }, (_, row) => {
    const session = Math.floor(row / LINES);
    const shopper = session % SHOPPERS;
    return { shopper, item: (session * 5 + row) % ITEMS, time: Math.floor(session / SHOPPERS) * SECONDS_APART + shopper, session };
  });
  return {
    users: SHOPPERS,
    items: ITEMS,
    user: Int32Array.from(rows, ({ shopper }) => shopper),
    item: Int32Array.from(rows, ({ item }) => item),
    kind: new Uint8Array(rows.length).fill(PURCHASE),
    time: Float64Array.from(rows, ({ time }) => time),
    price: new Float32Array(rows.length).fill(1),
    session: Int32Array.from(rows, ({ session }) => session),
  };
}

const log = ringLog();
const random = createRandom(9);
const data: InterestData = {
  training: groupByUser(logBefore(log, VALIDATION_FROM)),
  refit: groupByUser(log),
  protocol: 'temporal',
  textVectors: Float32Array.from({ length: ITEMS * 6 }, () => random.normal() / 3),
  textDimensions: 6,
  priceQuantiles: new Float32Array(101),
  itemPrices: new Float32Array(ITEMS).fill(1),
};
const options = {
  ...DEFAULT_INTEREST_TRAINING,
  embedding: 12,
  hidden: 16,
  lanes: 8,
  steps: 6,
  maxEpochs: 4,
  refitEpochs: 1,
  learningRate: 1e-2,
};
const train = (hooks?: InterestHooks, changes = {}) => trainInterest(data, createTrainingKernels({ maxBytes: 64 * 2 ** 20 }), { ...options, ...changes }, hooks);

const LOSSES: readonly ItemLossOptions[] = [
  { kind: 'softmax' },
  { kind: 'sampled-softmax', negatives: 4, sampler: 'uniform' },
  { kind: 'sampled-softmax', negatives: 4, sampler: 'popularity' },
  { kind: 'gbce', negatives: 4, calibration: 0.75 },
];

const MODELS: readonly SequenceOptions[] = [{ kind: 'gru' }, { kind: 'transformer', layers: 2, heads: 2, dropout: 0 }];

describe('training the interest LSTM', () => {
  test.each(LOSSES)('learns a ring of items whole: %o', async (loss) => {
    const quiet = { purchaseShare: 0.5, cartShare: 0.5, noiseViews: 0, noiseCarts: 0, zeroGapShare: 1 };
    const { history } = await train({}, { loss, hidden: 32, maxEpochs: 60, patience: 60, refitEpochs: 0, weightDecay: 0, augmentation: quiet, regularisation: { ...options.regularisation, inputDropout: 0, hiddenDropout: 0, residualDropout: 0 } });
    expect(Math.max(...history.map(({ ndcg }) => ndcg!))).toBeGreaterThan(0.99);
  });

  test.each(MODELS.flatMap((model) => LOSSES.map((loss) => ({ model, loss }))))('learns a ring of items whole by another model: %o', async ({ model, loss }) => {
    const quiet = { purchaseShare: 0.5, cartShare: 0.5, noiseViews: 0, noiseCarts: 0, zeroGapShare: 1 };
    const { history } = await train({}, { model, loss, hidden: 32, maxEpochs: 60, patience: 60, refitEpochs: 0, weightDecay: 0, augmentation: quiet, regularisation: { ...options.regularisation, inputDropout: 0, hiddenDropout: 0, residualDropout: 0 } });
    expect(Math.max(...history.map(({ ndcg }) => ndcg!))).toBeGreaterThan(0.99);
  });

  test.each(MODELS)('the same seed gives the same bytes, interrupted or not: %o', async (model) => {
    let checkpoint: InterestCheckpoint | undefined;
    const keep = (state: InterestCheckpoint): Promise<void> => {
      if (state.epoch === 2 && state.phase === 'train') checkpoint = state;
      return Promise.resolve();
    };
    const noisy = model.kind === 'transformer' ? { ...model, dropout: 0.2 } : model;
    const whole = await train({ saveCheckpoint: keep }, { model: noisy });
    const resumed = await train({ resumeFrom: checkpoint }, { model: noisy });
    expect(resumed.shipped).toEqual(whole.shipped);
    expect(resumed.tuned).toEqual(whole.tuned);
  });

  test.each(LOSSES)('the same seed gives the same bytes, another seed others: %o', async (loss) => {
    const [one, two, other] = [await train({}, { loss }), await train({}, { loss }), await train({}, { loss, seed: 2 })];
    expect(two.shipped).toEqual(one.shipped);
    expect(two.tuned).toEqual(one.tuned);
    expect(other.shipped.get('items')).not.toEqual(one.shipped.get('items'));
  });

  test('distorted texts are read while they are learnt from, and never validated or shipped', async () => {
    const changes = { maxEpochs: 1, refitEpochs: 0, freeze: ['projection', 'residual'] };
    const plain = await train({}, changes);
    const { tuned } = await train({ distort: { texts: (vectors) => vectors.map((value) => -value) } }, changes);
    expect(tuned.get('items')).toEqual(plain.tuned.get('items'));
    expect(tuned.get('user')).not.toEqual(plain.tuned.get('user'));
    const same = await train({ distort: { texts: (vectors) => vectors, stream: (stream) => stream, chunk: (chunk) => chunk } }, changes);
    expect(same.tuned).toEqual(plain.tuned);
  });

  test.each<Distortion>([
    { texts: (vectors, random) => vectors.map((value) => value * random.next()) },
    { stream: (stream, random) => ({ ...stream, weight: stream.weight.map(() => random.next()) }) },
    { chunk: (chunk) => ({ ...chunk, item: chunk.item.map((item, row) => (row % 3 === 0 ? -1 : item)) }) },
  ])('what is distorted changes what is learnt, the same way after an interruption: %o', async (distort) => {
    const checkpoints: InterestCheckpoint[] = [];
    const whole = await train({ distort, saveCheckpoint: (state) => Promise.resolve(void checkpoints.push(state)) });
    expect(whole.tuned.get('user')).not.toEqual((await train()).tuned.get('user'));
    expect((await train({ distort, resumeFrom: checkpoints[1] })).shipped).toEqual(whole.shipped);
  });

  test('frozen groups keep the values they start with, and the others learn', async () => {
    const untrained = await train({}, { maxEpochs: 0, refitEpochs: 0 });
    const frozen = await train({}, { freeze: ['lstm', 'items'], weightDecay: 0.1 });
    for (const name of ['lstm.input', 'lstm.hidden', 'lstm.bias', 'items.bias']) expect(frozen.shipped.get(name), name).toEqual(untrained.shipped.get(name));
    for (const name of ['projection', 'items', 'user', 'kind']) expect(frozen.shipped.get(name), name).not.toEqual(untrained.shipped.get(name));
  });

  test('a longer warm-up changes what is learnt; none at all starts at the peak', async () => {
    const [usual, long, none] = [await train(), await train({}, { warmUpSteps: 10_000 }), await train({}, { warmUpSteps: 0 })];
    const start = (await train({}, { maxEpochs: 0, refitEpochs: 0 })).tuned.get('user')!.values;
    const moved = (trained: typeof usual): number => trained.tuned.get('user')!.values.reduce((sum, value, at) => sum + Math.abs(value - start[at]!), 0);
    expect(moved(long)).toBeLessThan(0.2 * moved(usual));
    expect(moved(none)).toBeGreaterThan(moved(usual));
  });

  test.each([1, 3, 5].flatMap((epochs) => LOSSES.map((loss) => ({ epochs, loss }))))('interrupted and resumed, it ends where it would have ended: %o', async ({ epochs, loss }) => {
    const whole = await train({}, { loss });
    const stop = new AbortController();
    let checkpoint: InterestCheckpoint | undefined;
    let saved = 0;
    const interrupted = train({
      signal: stop.signal,
      saveCheckpoint: (state) => {
        checkpoint = state;
        if (++saved === epochs) stop.abort(new Error('enough'));
        return Promise.resolve();
      },
    }, { loss });
    if (epochs < 5) await expect(interrupted).rejects.toThrow('enough');
    else await interrupted;
    const resumed = await train({ resumeFrom: checkpoint }, { loss });
    expect(resumed.shipped).toEqual(whole.shipped);
    expect(resumed.tuned).toEqual(whole.tuned);
    expect(resumed.history.map(({ ndcg }) => ndcg)).toEqual(whole.history.map(({ ndcg }) => ndcg));
  });
});

describe('two grammars that only a history tells apart', () => {
  const WALK = 11;
  const EVENTS = 24;
  const HELD = 8; // the last of each
  const STRIDES = [1, 4];

  /** Every other item is 0; between, half of the shoppers go round 11 items by strides of 1, the others by strides of 4. */
  const whole = viewingShoppers({ shoppers: 66, events: EVENTS, items: 1 + WALK }, (shopper, at) => (at % 2 === 1 ? 0 : 1 + ((shopper + STRIDES[Math.floor(shopper / 33)]! * (at / 2)) % WALK)));
  const grammars = sessionData(logBefore(whole, EVENTS - HELD), whole);

  test('the last items alone do not tell', () => {
    const { item, offsets } = grammars.refit;
    const followers = new Map<string, Set<number>>();
    for (let user = 0; user < 66; user++) {
      for (let event = offsets[user]! + 4; event < offsets[user + 1]!; event += 2) {
        const before = item.subarray(event - 2, event).join();
        followers.set(before, (followers.get(before) ?? new Set()).add(item[event]!));
      }
    }
    expect(followers.size).toBe(WALK);
    for (const [before, items] of followers) expect(items.size, before).toBe(STRIDES.length);
  });

  test.each<SequenceOptions>([{ kind: 'lstm' }, ...MODELS])('are learnt to 100 %: %o', async (model) => {
    const regularisation = { ...options.regularisation, inputDropout: 0, hiddenDropout: 0 };
    const settings = { ...options, model, hidden: 32, lanes: 6, steps: 8, cosine: 8, maxEpochs: 40, patience: 40, refitEpochs: 0, weightDecay: 0, regularisation };
    const { history } = await trainInterest(grammars, createTrainingKernels({ maxBytes: 64 * 2 ** 20 }), settings);
    expect(Math.max(...history.map(({ ndcg }) => ndcg!))).toBe(1);
  });
});
