import type { Device, LstmWeights, Tensor } from '../compute/device.ts';
import { RecommenderError } from '../errors.ts';
import type { Forecast } from '../types.ts';
import { appendWeek, DEMAND_FEATURES, fromScaledLog, readSeries, scaleAt, WINDOW_WEEKS, writeWeek } from './demand-input.ts';
import type { SalesValues, WeeklySales } from './demand-input.ts';

/** Tensors of a pack by name. */
export type DemandTensors = ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;

/** The quantiles that the model predicts: the median, and the bounds of the 80 % interval. */
export const QUANTILES = [0.1, 0.5, 0.9] as const;

/** The head's outputs: the median, and what softplus makes the distances of the bounds from it. */
export const HEAD_OUTPUTS = 3;

/** A year ahead; further than that a model of 26 weeks has nothing to say. */
const MAX_HORIZON = 52;

/**
 * The demand LSTM: one global model over the weekly sales of all items (as DeepAR, Salinas et al. 2020), with quantiles
 * in place of a distribution (Wen et al. 2017), because they need no assumption about sales that are often 0 and sometimes a pallet.
 * Sales are divided by the series' own recent mean, so that a slow item and a fast one look alike.
 */
export class DemandModel {
  readonly hidden: number;
  readonly #device: Device;
  readonly #lstm: LstmWeights;
  readonly #head: Float32Array; // [3, hidden]
  readonly #headBias: Float32Array; // [3]
  readonly #margins: Float32Array; // [horizons, 2]

  private constructor(tensors: DemandTensors, device: Device) {
    this.hidden = tensors.get('demand.lstm.hidden')?.shape[1] ?? 0;
    const horizons = tensors.get('demand.margins')?.shape[0] ?? 0;
    const gates = 4 * this.hidden;
    const get = (name: string, ...shape: number[]): Float32Array => {
      const tensor = tensors.get(name);
      if (tensor && shape.every((size) => size > 0) && String(tensor.shape) === String(shape)) return tensor.values;
      throw new RecommenderError('PACK_INVALID', `Tensor ${name} should be [${shape.join(', ')}], not [${String(tensor?.shape)}].`);
    };
    this.#device = device;
    this.#head = get('demand.head', HEAD_OUTPUTS, this.hidden);
    this.#headBias = get('demand.head.bias', HEAD_OUTPUTS);
    this.#margins = get('demand.margins', horizons, 2);
    const upload = (name: string, ...shape: number[]): Tensor => device.upload(get(name, ...shape), shape);
    this.#lstm = {
      inputWeights: upload('demand.lstm.input', gates, DEMAND_FEATURES),
      hiddenWeights: upload('demand.lstm.hidden', gates, this.hidden),
      bias: upload('demand.lstm.bias', gates),
    };
  }

  /** @throws RecommenderError `PACK_INVALID` when a tensor is missing or of another shape. */
  static load(tensors: DemandTensors, device: Device): DemandModel {
    return new DemandModel(tensors, device);
  }

  /**
   * Median and 80 % interval of the next `horizon` weeks (default 1) of each series, in units.
   * Each step after the first reads the medians before it as if they had been sold. A series is answered by itself,
   * whatever else is in the batch; one without a known week is answered as an item that is about to be launched.
   * @throws RecommenderError `INVALID_OPTIONS` for a horizon that is not a whole number from 1 to 52.
   */
  async forecast(series: readonly SalesValues[], { horizon = 1 }: { readonly horizon?: number } = {}): Promise<Forecast[]> {
    if (!Number.isInteger(horizon) || horizon < 1 || horizon > MAX_HORIZON) {
      throw new RecommenderError('INVALID_OPTIONS', `horizon is a whole number of weeks from 1 to ${MAX_HORIZON}, not ${horizon}.`);
    }
    const forecasts = series.map(() => ({ mean: [] as number[], median: [] as number[], low: [] as number[], high: [] as number[] }));
    if (series.length === 0) return forecasts;

    let sales = series.map(readSeries);
    let state: Float32Array = new Float32Array(2 * series.length * this.hidden); // [2, batch, hidden]
    for (let step = 0; step < horizon; step++) {
      state = await this.#read(sales, step === 0 ? WINDOW_WEEKS : 1, state);
      sales = sales.map((known, row) => {
        const next = this.#quantiles(state, row, step, scaleAt(known, known.values.length - 1));
        forecasts[row]!.mean.push(next.median); // it has learnt no expected value
        forecasts[row]!.median.push(next.median);
        forecasts[row]!.low.push(next.low);
        forecasts[row]!.high.push(next.high);
        return step + 1 < horizon ? appendWeek(known, next.median) : known; // no step reads what the last one says
      });
    }
    return forecasts;
  }

  dispose(): void {
    const { inputWeights, hiddenWeights, bias } = this.#lstm;
    for (const tensor of [inputWeights, hiddenWeights, bias]) this.#device.free(tensor);
  }

  /** Advances all series by their last `steps` weeks: the new state, [2, batch, hidden]. */
  async #read(sales: readonly WeeklySales[], steps: number, state: Float32Array): Promise<Float32Array> {
    const batch = sales.length;
    const x = new Float32Array(steps * batch * DEMAND_FEATURES); // [steps, batch, features]
    sales.forEach((known, row) => {
      for (let step = 0; step < steps; step++) {
        writeWeek(x, (step * batch + row) * DEMAND_FEATURES, known, known.values.length - steps + step);
      }
    });
    const [after] = await this.#device.run((ops) => [
      ops.lstm(ops.input(x, [steps, batch, DEMAND_FEATURES]), this.#lstm, ops.input(state, [2, batch, this.hidden])),
    ]);
    return after!;
  }

  /** Three dot products a series cost less here than a second readback would. */
  #quantiles(state: Float32Array, row: number, step: number, scale: number): { median: number; low: number; high: number } {
    const [low, median, high] = headQuantiles(this.#output(0, state, row), this.#output(1, state, row), this.#output(2, state, row));
    const calibrated = Math.min(step, this.#margins.length / 2 - 1);
    return {
      median: fromScaledLog(median, scale),
      low: fromScaledLog(Math.min(median, low - this.#margins[2 * calibrated]!), scale),
      high: fromScaledLog(Math.max(median, high + this.#margins[2 * calibrated + 1]!), scale),
    };
  }

  #output(output: number, state: Float32Array, row: number): number {
    let sum = this.#headBias[output]!;
    for (let k = 0; k < this.hidden; k++) sum += this.#head[output * this.hidden + k]! * state[row * this.hidden + k]!;
    return sum;
  }
}

/** The three quantiles in order, which a head with free outputs would not promise. */
export function headQuantiles(median: number, below: number, above: number): [low: number, median: number, high: number] {
  return [median - softplus(below), median, median + softplus(above)];
}

function softplus(x: number): number {
  return x > 20 ? x : Math.log1p(Math.exp(x));
}
