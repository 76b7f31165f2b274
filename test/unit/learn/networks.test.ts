import { describe, expect, test } from 'vitest';
import { BEHAVIOUR_KINDS } from '../../../src/behaviour/kinds.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createReferenceTrainingKernels } from '../../../src/compute/reference/training.ts';
import { InterestModel, type InterestEvent } from '../../../src/forecast/interest.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { parseSafetensors, writeSafetensors } from '../../../src/lib/safetensors.ts';
import type { EventStream } from '../../../src/learn/augmentation.ts';
import { HeadNetwork, type HeadBatch } from '../../../src/learn/head-network.ts';
import { embeddingLength } from '../../../src/learn/interest-lanes.ts';
import { InterestNetwork } from '../../../src/learn/interest-network.ts';
import type { SequenceOptions } from '../../../src/learn/sequence-layer.ts';
import { cutIntoChunks, type Chunk } from '../../../src/learn/lanes.ts';
import type { ItemLossOptions } from '../../../src/learn/losses.ts';
import { FEATURE_SCHEMA, FEATURE_NAMES } from '../../../src/rank/feature-schema.ts';
import { FEATURE_COUNT } from '../../../src/rank/features.ts';
import { JointHead, standardise } from '../../../src/rank/head.ts';
import { checkGradients } from '../../helpers/check-gradients.ts';

const NO_DROPOUT = { inputDropout: 0, hiddenDropout: 0, residualDropout: 0, kindWeight: 0.5, daysWeight: 0 };
const SHAPE = { items: 7, text: 5, embedding: 4, hidden: 6, lanes: 3, steps: 4, cosine: 0 };
const TRANSFORMER: SequenceOptions = { kind: 'transformer', layers: 2, heads: 2, dropout: 0 };
const MODELS: readonly SequenceOptions[] = [{ kind: 'lstm' }, { kind: 'gru' }, TRANSFORMER];
const QUANTILES = Float32Array.from({ length: 101 }, (_, at) => at / 10);

function streamOf(items: readonly number[]): EventStream {
  return {
    item: Int32Array.from(items),
    kind: Uint8Array.from(items, (item) => item % BEHAVIOUR_KINDS.length),
    gap: Float32Array.from(items, (item, at) => (at === 0 ? NaN : 40 * item)),
    price: Float32Array.from(items, (item) => (item === 3 ? NaN : item)),
    weight: Float32Array.from(items, (item) => (item === 5 ? 0 : 1)),
    label: null,
  };
}

function interestNetwork(loss: ItemLossOptions = { kind: 'softmax' }, cosine = 0, model: SequenceOptions = { kind: 'lstm' }, medianOrderDays: number | null = null) {
  const random = createRandom(3);
  const text = Float32Array.from({ length: SHAPE.items * SHAPE.text }, () => random.normal() / 2);
  const catalogue = { textVectors: text, priceQuantiles: QUANTILES, itemCounts: [3, 1, 4, 1, 5, 9, 2], medianOrderDays };
  return { text, network: new InterestNetwork({ ...SHAPE, cosine, model }, catalogue, loss, createReferenceTrainingKernels(), random) };
}

const chunkOf = (streams: readonly EventStream[]): Chunk => cutIntoChunks(streams.values(), SHAPE.lanes, SHAPE.steps).next().value!;

describe('interest network', () => {
  test.each<[ItemLossOptions, number, SequenceOptions?]>([
    [{ kind: 'softmax' }, 0],
    [{ kind: 'softmax' }, 0, { kind: 'gru' }],
    [{ kind: 'softmax' }, 0, TRANSFORMER],
    [{ kind: 'gbce', negatives: 4, calibration: 0.75 }, 0, { kind: 'gru' }],
    [{ kind: 'sampled-softmax', negatives: 3, sampler: 'popularity' }, 0, TRANSFORMER],
    [{ kind: 'softmax' }, 4],
    [{ kind: 'sampled-softmax', negatives: 3, sampler: 'popularity' }, 0],
    [{ kind: 'sampled-softmax', negatives: 3, sampler: 'popularity' }, 4],
    [{ kind: 'gbce', negatives: 4, calibration: 0.75 }, 0],
  ])('its gradients are the differences of its loss: %o, cosines times %s, %o', (loss, cosine, model) => {
    const { network } = interestNetwork(loss, cosine, model);
    if (cosine > 0) network.parameters.get('user.bias')!.values.set([0.4, -0.7, 0.5, 0.3]); // near 0 the direction of û turns faster than differences can follow
    const chunk = chunkOf([streamOf([1, 2, 3]), streamOf([4, 6, 2, 1, 5]), streamOf([0, 3])]);
    // The kind loss is not in the returned figure, so it is left out here; its layers are the same matmuls.
    const regularisation = { ...NO_DROPOUT, kindWeight: 0 };
    const meanLoss = (): number => {
      network.resetState();
      const { loss, weight } = network.learn(chunk, createRandom(1), regularisation);
      return loss / weight;
    };
    meanLoss();
    checkGradients(network.parameters, meanLoss);
  });

  test.each(MODELS)('gradients of the days until the next order are differences too, and what the log does not have teaches nothing: %o', (model) => {
    const { network } = interestNetwork({ kind: 'softmax' }, 0, model, 7);
    const weights = createRandom(8);
    network.parameters.get('days')!.values.forEach((_, k, values) => (values[k] = weights.normal()));
    const chunk = chunkOf([{ ...streamOf([4, 6, 2, 1, 5]), orderDays: Float32Array.of(3, 40, NaN, 0.5, 9) }, streamOf([1, 2, 3])]);
    const wholeLoss = (): number => {
      network.resetState();
      const { loss, weight, daysLoss } = network.learn(chunk, createRandom(1), { ...NO_DROPOUT, kindWeight: 0, daysWeight: 2 });
      return loss / weight + daysLoss;
    };
    wholeLoss();
    expect(network.parameters.get('days')!.gradient.some((value) => value !== 0)).toBe(true);
    checkGradients(network.parameters, wholeLoss);

    network.resetState();
    const unanswered = chunkOf([{ ...streamOf([4, 6, 2, 1, 5]), orderDays: new Float32Array(5).fill(NaN) }]);
    expect(network.learn(unanswered, createRandom(1), { ...NO_DROPOUT, daysWeight: 1 }).daysLoss).toBe(0);
    expect(network.parameters.get('days.bias')!.gradient[0]).toBe(0);
  });

  test.each(MODELS)('the served model gives the trained network’s days until the next order, and null without that output: %o', async (model) => {
    const { network } = interestNetwork({ kind: 'softmax' }, 0, model, 7);
    const weights = createRandom(8);
    network.parameters.get('days')!.values.forEach((_, k, values) => (values[k] = weights.normal()));
    const stream = streamOf([1, 4, 6, 2]);
    const serve = (tensors: ReturnType<typeof servedTensors>): InterestModel => new InterestModel(parseSafetensors(writeSafetensors(tensors)), { ...SHAPE, model: model.kind }, ['a', 'b', 'c', 'd', 'e', 'f', 'g'], createReferenceDevice());
    const served = serve(servedTensors(network));
    const trained: number[] = [];
    network.resetState();
    network.predictDays(chunkOf([stream]), (row) => row % SHAPE.lanes === 0, (_, days) => trained.push(days));
    let state = await served.initialState();
    for (let step = 0; step < 4; step++) {
      expect((await served.next(state)).daysToPurchase).toBeCloseTo(trained[step]!, 3);
      state = await served.advance(state, [eventOf(stream, step)]);
    }
    const without = serve(servedTensors(interestNetwork({ kind: 'softmax' }, 0, model).network));
    expect((await without.next(await without.initialState())).daysToPurchase).toBeNull();
  });

  test.each(MODELS.flatMap((model) => [0, 4].map((cosine) => ({ model, cosine }))))('the served model gives what the trained network gives, over three chunks: %o', async ({ model, cosine }) => {
    const { network, text } = interestNetwork({ kind: 'softmax' }, cosine, model);
    const stream = streamOf([1, 4, 6, 2, 2, 0, 3, 5, 1, 1, 4]);
    const served = new InterestModel(parseSafetensors(writeSafetensors(servedTensors(network))), { ...SHAPE, model: model.kind }, ['a', 'b', 'c', 'd', 'e', 'f', 'g'], createReferenceDevice());
    const trained: Float32Array[] = [];
    network.resetState();
    // Another shopper before, in the same lane: nothing of it may be seen.
    const before = 2;
    for (const chunk of cutIntoChunks([streamOf([3, 6]), streamOf([5]), streamOf([0, 1, 2]), stream].values(), 1, SHAPE.steps)) {
      network.predict(widened(chunk), (row) => row % SHAPE.lanes === 0, (_, scores) => trained.push(scores.slice()));
    }
    const own = trained.slice(before + 1 + 3);
    let state = await served.initialState();
    for (let step = 0; step < stream.item.length; step++) {
      const next = await served.next(state);
      next.catalogueScores.forEach((score, item) => expect(score).toBeCloseTo(own[step]![item]!, 4.7));
      if (step === 0) {
        // An unseen item with the text of a known one differs from it by the residual and the bias alone.
        const textOfOne = text.subarray(SHAPE.text, 2 * SHAPE.text);
        const unseen = served.itemEmbedding(null, textOfOne);
        expect(served.unseenScore(next, textOfOne)).toBeCloseTo(unseen.reduce((sum, value, k) => sum + value * next.user[k]!, 0), 4);
      }
      const kept = state.slice();
      const after = await served.advance(state, [eventOf(stream, step)]);
      expect(state).toEqual(kept);
      state = after;
    }
  });
});

/** A chunk of one lane as the first of SHAPE.lanes, the others empty. */
function widened(chunk: Chunk): Chunk {
  const wide = cutIntoChunks([streamOf([0])].values(), SHAPE.lanes, SHAPE.steps).next().value!;
  for (const name of Object.keys(chunk) as (keyof Chunk)[]) {
    const empty = { item: -1, targetLabel: -1, keep: 1 }[name as string] ?? 0;
    wide[name].fill(empty);
    chunk[name].forEach((value, step) => (wide[name][step * SHAPE.lanes] = value));
  }
  return wide;
}

function eventOf({ item: items, kind, gap }: EventStream, step: number): InterestEvent {
  const item = items[step]!;
  return { itemId: 'abcdefg'[item]!, textVector: null, kind: BEHAVIOUR_KINDS[kind[step]!]!, gapSeconds: step === 0 ? null : gap[step]!, pricePosition: item === 3 ? null : item / 10 };
}

function servedTensors(network: InterestNetwork) {
  const { items, embedding } = SHAPE;
  const names = [...network.parameters.keys()].filter((name) => name !== 'residual');
  return [
    ...names.map((name) => [name, { dtype: 'F32', shape: network.parameters.get(name)!.shape, values: network.parameters.get(name)!.values }] as const),
    ...(network.shape.cosine > 0 ? [['cosine', { dtype: 'F32', shape: [2], values: Float32Array.of(network.shape.cosine, embeddingLength(network.shape)) }] as const] : []),
    ['items', { dtype: 'F32', shape: [items, embedding], values: network.itemEmbeddings().slice() }] as const,
    ['items.unseenBias', { dtype: 'F32', shape: [1], values: Float32Array.of(0) }] as const,
  ];
}

describe('head network', () => {
  const columns = [0, 3, 9, 12];
  const shape = { input: 2 * columns.length, context: 3, listLength: 5, lists: 2 };
  const features = (): Float32Array => {
    const random = createRandom(5);
    return Float32Array.from({ length: 10 * FEATURE_COUNT }, () => (random.next() < 0.2 ? NaN : random.normal()));
  };
  const zeros = new Float32Array(columns.length);
  const ones = new Float32Array(columns.length).fill(1);
  const batch = (): HeadBatch => ({
    lists: 2,
    x: standardise(features(), columns, zeros, ones),
    context: Float32Array.of(0.3, -0.5, 0.2, 0.9, 0.1, -0.4),
    offsets: Float32Array.of(0, 0, 1, 1, -1e9, 0, 0, 0, 2, 2),
    shares: Float32Array.of(0, 0.7, 0.2, 0.1, 0, 0, 0, 0, 1, 0),
  });

  test('its gradients are the differences of its loss', () => {
    const network = new HeadNetwork(shape, createReferenceTrainingKernels(), createRandom(2));
    network.learn(batch());
    checkGradients(network.parameters, () => network.learn(batch()), 4e-4); // small: relu bends
  });

  test('the served head gives what the trained network gives', async () => {
    const network = new HeadNetwork(shape, createReferenceTrainingKernels(), createRandom(2));
    const trained = network.forward(batch()).slice();
    const tensors = [...network.parameters].map(([name, parameter]) => [name, { dtype: 'F32', shape: parameter.shape, values: parameter.values }] as const);
    const moments = [
      ['features.mean', { dtype: 'F32', shape: [columns.length], values: zeros }] as const,
      ['features.deviation', { dtype: 'F32', shape: [columns.length], values: ones }] as const,
    ];
    const schema = { ...FEATURE_SCHEMA, names: columns.map((column) => FEATURE_NAMES[column]!) };
    const served = new JointHead(parseSafetensors(writeSafetensors([...tensors, ...moments])), schema, shape.context, createReferenceDevice());
    for (let list = 0; list < 2; list++) {
      const rows = features().subarray(list * 5 * FEATURE_COUNT, (list + 1) * 5 * FEATURE_COUNT);
      const scores = await served.score(rows, batch().context.subarray(list * 3, (list + 1) * 3));
      scores.forEach((score, row) => expect(score).toBeCloseTo(trained[list * 5 + row]!, 4));
    }
  });
});
