import { describe, expect, it } from 'vitest';
import { createReferenceTrainingKernels } from '../../src/compute/reference/training.ts';
import { readSeries } from '../../src/forecast/demand-input.ts';
import { createRandom } from '../../src/lib/random.ts';
import { DemandNetwork, pinballLoss } from '../../src/learn/demand-network.ts';
import type { DemandWindow } from '../../src/learn/demand-network.ts';

const window = (values: readonly (number | null)[], learnFrom = 0): DemandWindow => {
  const sales = readSeries({ values });
  return { sales, end: values.length - 1, learnFrom };
};

const STEP = 1e-3;

describe('demand loss', () => {
  it('has the gradient of its finite differences', () => {
    const outputs = Float32Array.of(0.4, -0.3, 0.2, 1.5, 0.7, -1, 0.1, 0, 0);
    const targets = Float32Array.of(0.9, 0.2, 5);
    const weights = Float32Array.of(1, 1, 0);
    const gradient = new Float32Array(9);
    pinballLoss(outputs, targets, weights, gradient);
    outputs.forEach((value, k) => {
      const at = (moved: number): number => pinballLoss(outputs.with(k, moved), targets, weights, new Float32Array(9));
      expect(gradient[k]).toBeCloseTo((at(value + STEP) - at(value - STEP)) / (2 * STEP), 3);
    });
  });

  it('is the mean pinball loss of the known weeks', () => {
    // Softplus is 1 at log(e - 1): quantiles 1, 2, 3 against 2.5.
    const one = Math.log(Math.E - 1);
    const loss = pinballLoss(Float32Array.of(2, one, one, 9, 9, 9), Float32Array.of(2.5, 0), Float32Array.of(1, 0), new Float32Array(6));
    expect(loss).toBeCloseTo(0.1 * 1.5 + 0.5 * 0.5 + 0.1 * 0.5, 6);
  });
});

describe('demand network', () => {
  // A first week of 3 would lie on the untrained upper quantile, where the loss has a kink.
  const windows = [window([4, 5, 2, null, 8, 0, 4, 9]), window([null, null, 40, 60, 20, 10, 0, 30, 70, 20])];
  const network = new DemandNetwork(4, 3, createReferenceTrainingKernels(), createRandom(5));

  it('has the gradients of its finite differences, through every week of every weight', () => {
    network.learn(windows);
    const gradients = new Map(Array.from(network.parameters, ([name, { gradient }]) => [name, gradient.slice()]));
    for (const [name, { values }] of network.parameters) {
      for (let k = 0; k < values.length; k += 5) {
        const kept = values[k]!;
        values[k] = kept + STEP;
        const above = network.loss(windows);
        values[k] = kept - STEP;
        const below = network.loss(windows);
        values[k] = kept;
        expect(gradients.get(name)![k], `${name}[${k}]`).toBeCloseTo((above - below) / (2 * STEP), 3);
      }
    }
  });

  it('predicts known weeks only', () => {
    network.loss([window([3, 5, null, 7])]);
    expect(network.known).toBe(3); // the first week too, from the empty time before it
    network.loss([window([3, 5, null, 7], 3)]);
    expect(network.known).toBe(1);
  });

  it('does not look at the week that it predicts', () => {
    const outputsAfter = (last: number): number => {
      network.learn([window([3, 5, 2, 6, 8, last], 5)]);
      return network.parameters.get('demand.head.bias')!.gradient[0]!;
    };
    // Only the side of the median on which the target lies may show.
    expect(outputsAfter(10_000)).toBe(outputsAfter(20_000));
  });

  it('answers a batch that is not full as if the rest were not there', () => {
    const alone = network.loss([windows[0]!]);
    network.loss([windows[1]!, windows[0]!, windows[1]!]);
    expect(network.loss([windows[0]!])).toBe(alone);
  });
});
