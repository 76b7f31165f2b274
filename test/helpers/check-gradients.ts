import { expect } from 'vitest';
import type { ParameterSet } from '../../src/learn/parameters.ts';

/** The steepest entries of each gradient against central differences of the loss. */
export function checkGradients(parameters: ParameterSet, lossOf: () => number, step = 2e-3): void {
  const gradients = new Map([...parameters].map(([name, { gradient }]) => [name, gradient.slice()]));
  for (const [name, { values }] of parameters) {
    const gradient = gradients.get(name)!;
    const steepest = [...gradient.keys()].sort((a, b) => Math.abs(gradient[b]!) - Math.abs(gradient[a]!)).slice(0, 4);
    for (const at of steepest) {
      const kept = values[at]!;
      values[at] = kept + step;
      const up = lossOf();
      values[at] = kept - step;
      const down = lossOf();
      values[at] = kept;
      const numeric = (up - down) / (2 * step);
      expect(Math.abs(numeric - gradient[at]!), `${name}[${at}]: ${numeric} by differences, ${gradient[at]!} by back-propagation`).toBeLessThan(2e-3 + 0.02 * Math.abs(numeric));
    }
  }
}
