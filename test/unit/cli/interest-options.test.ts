import { describe, expect, test } from 'vitest';
import { interestTrainingOf, pretrainingOf } from '../../../src/cli/interest-options.ts';
import { modelCard } from '../../../src/cli/model-card.ts';
import { DEFAULT_INTEREST_TRAINING } from '../../../src/learn/interest-training.ts';

const refused = expect.objectContaining({ code: 'INVALID_OPTIONS' }) as Error;

describe('options of the interest LSTM’s training', () => {
  test('without flags, training is as it ever was', () => {
    expect(interestTrainingOf({})).toEqual(DEFAULT_INTEREST_TRAINING);
  });

  test('each flag changes its own option', () => {
    const changed = interestTrainingOf({ learningRate: 0.01, weightDecay: 0, clip: 5, warmUp: 7, freeze: 'lstm, kind' });
    expect(changed).toEqual({ ...DEFAULT_INTEREST_TRAINING, learningRate: 0.01, weightDecay: 0, clip: 5, warmUpSteps: 7, freeze: ['lstm', 'kind'] });
  });

  test('a transformer has sizes of its own, the others none', () => {
    expect(interestTrainingOf({ model: 'transformer', heads: 4 }).model).toEqual({ kind: 'transformer', layers: 2, heads: 4, dropout: 0.2 });
    expect(interestTrainingOf({ model: 'gru' }).model).toEqual({ kind: 'gru' });
  });

  test('the losses have the defaults that their help names', () => {
    expect(interestTrainingOf({ loss: 'sampled-softmax' }).loss).toEqual({ kind: 'sampled-softmax', negatives: 256, sampler: 'popularity' });
    expect(interestTrainingOf({ loss: 'sampled-softmax', negatives: 9, sampler: 'uniform' }).loss).toEqual({ kind: 'sampled-softmax', negatives: 9, sampler: 'uniform' });
    expect(interestTrainingOf({ loss: 'gbce' }).loss).toEqual({ kind: 'gbce', negatives: 256, calibration: 0.75 });
  });

  test('a preset stands behind every option that is not given', () => {
    const session = interestTrainingOf({ preset: 'session' });
    expect(session).toMatchObject({ cosine: 16, loss: { kind: 'sampled-softmax', negatives: 1_024, sampler: 'uniform' } });
    expect(interestTrainingOf({ preset: 'session', negatives: 9, hidden: 7, inputDropout: 0.1, daysWeight: 0 })).toEqual({ ...session, hidden: 7, loss: { ...session.loss, negatives: 9 }, regularisation: { ...session.regularisation, inputDropout: 0.1, daysWeight: 0 } });
    expect(interestTrainingOf({ preset: 'session', loss: 'softmax' }).loss).toEqual({ kind: 'softmax' });
    expect(interestTrainingOf({ preset: 'session', loss: 'gbce' }).loss).toEqual({ kind: 'gbce', negatives: 256, calibration: 0.75 });
  });

  test.each([{ negatives: 5 }, { sampler: 'uniform' }, { loss: 'gbce', sampler: 'uniform' }, { calibration: 1 }, { loss: 'gbce', calibration: 1.1 }, { freeze: 'lstm,layers' }, { clip: 0 }, { hiddenDropout: 1 }, { model: 'transformer', hidden: 10, heads: 4 }, { model: 'transformer', layerDropout: 1 }] as const)('%o is refused', (flags) => {
    expect(() => interestTrainingOf(flags)).toThrow(refused);
  });

  test('pretraining has epochs of its kind, and there are none without it', () => {
    expect(pretrainingOf({})).toBeUndefined();
    expect(pretrainingOf({ pretrain: 'masked-items' })).toEqual({ kind: 'masked-items', epochs: 10 });
    expect(pretrainingOf({ pretrain: 'autoencoder' })).toEqual({ kind: 'autoencoder', epochs: 60 });
    expect(pretrainingOf({ pretrain: 'autoencoder', pretrainEpochs: 3 })).toEqual({ kind: 'autoencoder', epochs: 3 });
    expect(() => pretrainingOf({ pretrainEpochs: 3 })).toThrow(refused);
  });

  test('the card says which loss and what was frozen', () => {
    const manifest = { kind: 'recommender', name: 'shop', created: '', schemaVersion: 1, revision: '', files: [], dims: {}, measured: {}, trainingData: [], licence: '' } as const;
    const training = { protocol: 'temporal', purchasesOnly: false, until: 0, validationDays: 31, seed: 1 } as const;
    expect(modelCard(manifest, training)).toContain('full soft-max over all items');
    const card = modelCard(manifest, { ...training, interest: interestTrainingOf({ loss: 'gbce', negatives: 9, freeze: 'lstm' }) });
    expect(card).toContain('generalised binary cross-entropy with 9 negatives and t = 0.75');
    expect(card).toContain('lstm frozen');
  });
});
