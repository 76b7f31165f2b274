import type { DemandEpoch } from '../../learn/demand-training.ts';
import type { TrainedHead } from '../../learn/head-training.ts';
import type { InterestEpoch } from '../../learn/interest-training.ts';
import { pretrainingName, type PretrainingOptions } from '../../learn/pretraining-kinds.ts';
import type { NextPurchaseErrors, TrainingCurve } from './report-data.ts';

/** The epochs before the interest LSTM's training as one curve; without epochs where there were none. */
export function pretrainingCurve(pretraining: PretrainingOptions | undefined, losses: readonly number[]): TrainingCurve {
  return {
    model: `interest LSTM, pretraining by ${pretraining ? pretrainingName(pretraining.kind) : 'nothing'}`,
    lossName: pretraining?.kind === 'autoencoder' ? 'Loss (negative evidence bound)' : 'Loss (cross entropy)',
    metricName: null,
    epochs: losses.map((loss, at) => ({ epoch: at + 1, phase: 'train', loss, metric: null })),
  };
}

/** The interest LSTM's epochs as one curve. */
export function interestCurve(epochs: readonly InterestEpoch[]): TrainingCurve {
  return {
    model: 'interest LSTM',
    lossName: 'Loss (cross entropy)',
    metricName: 'NDCG@10 of the validation part',
    epochs: epochs.map(({ loss, ndcg }, at) => ({ epoch: at + 1, phase: ndcg === null ? 'refit' : 'train', loss, metric: ndcg })),
  };
}

/** The demand LSTM's epochs as one curve. */
export function demandCurve(epochs: readonly DemandEpoch[]): TrainingCurve {
  return {
    model: 'demand LSTM',
    lossName: 'Loss (pinball)',
    metricName: 'Pinball loss of the held-out weeks',
    epochs: epochs.map(({ phase, trainLoss, holdOutLoss }, at) => ({ epoch: at + 1, phase: phase === 'refit' ? 'refit' : 'train', loss: trainLoss, metric: holdOutLoss })),
  };
}

/** The joint head's epochs as one curve. */
export function headCurve(history: TrainedHead['history']): TrainingCurve {
  return {
    model: 'joint head',
    lossName: 'Loss (soft-max over lists)',
    metricName: 'NDCG@10 of held-out shoppers’ lists',
    epochs: history.map(({ epoch, loss, ndcg }) => ({ epoch, phase: 'train', loss, metric: ndcg })),
  };
}

/** The days until the next purchase among the interest model's measured figures; null where none were asked. */
export function nextPurchaseErrors(measured: Readonly<Record<string, number>>): NextPurchaseErrors | null {
  const { 'interest.daysToPurchaseMae': model, 'interest.medianGapMae': medianGap, 'interest.ownMedianGapMae': ownMedianGap } = measured;
  return model === undefined || medianGap === undefined || ownMedianGap === undefined ? null : { model, medianGap, ownMedianGap };
}
