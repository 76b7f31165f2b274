import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';
import type { MultVae } from '../rank/simple/mult-vae.ts';
import { createParameters, type ParameterSet } from './parameters.ts';
import { addBias, addColumns } from './row-sums.ts';

export interface MultVaeShape {
  readonly items: number;
  readonly hidden: number;
  readonly latent: number;
  /** Shoppers per step, at most. */
  readonly shoppers: number;
}

/** What each shopper has, and how much of it the encoder sees: 0 for an item that input dropout has taken. */
export interface MultVaeBatch {
  /** Distinct items of each shopper. */
  readonly items: readonly Int32Array[];
  /** Input values in the order of `items`. */
  readonly values: readonly Float32Array[];
  /** Standard normal draws that z = μ + σ · ε is made of, [shoppers, latent]. */
  readonly noise: Float32Array;
  /** β, the weight of the KL term. */
  readonly klWeight: number;
}

/**
 * Mult-VAE with its gradients, on training kernels: items -> tanh layer -> μ and log σ² -> z -> tanh layer -> multinomial over
 * all items (Liang et al. 2018, "Variational autoencoders for collaborative filtering", sections 2.1 and 2.2).
 */
export class MultVaeNetwork {
  readonly shape: MultVaeShape;
  readonly parameters: ParameterSet;
  readonly #kernels: TrainingKernels;
  readonly #first: Float32Array; // [shoppers, hidden]
  readonly #second: Float32Array; // [shoppers, hidden]
  readonly #hiddenGradient: Float32Array; // [shoppers, hidden]
  readonly #code: Float32Array; // [shoppers, 2 · latent]: μ, log σ²
  readonly #codeGradient: Float32Array;
  readonly #z: Float32Array; // [shoppers, latent]
  readonly #zGradient: Float32Array;
  readonly #logits: Float32Array; // [shoppers, items]
  readonly #weights: Float32Array; // [shoppers]
  readonly #firstItems: Int32Array; // [shoppers], zeros

  constructor(shape: MultVaeShape, kernels: TrainingKernels, random: Random) {
    const { items, hidden, latent, shoppers } = shape;
    this.shape = shape;
    this.#kernels = kernels;
    const spread = (inputs: number, outputs: number): number => Math.sqrt(6 / (inputs + outputs)); // Glorot & Bengio 2010
    this.parameters = createParameters(kernels, random, {
      input: { shape: [items, hidden], spread: spread(items, hidden) },
      'input.bias': { shape: [hidden], spread: 0 },
      code: { shape: [2 * latent, hidden], spread: spread(hidden, 2 * latent) },
      'code.bias': { shape: [2 * latent], spread: 0 },
      decoder: { shape: [hidden, latent], spread: spread(latent, hidden) },
      'decoder.bias': { shape: [hidden], spread: 0 },
      output: { shape: [items, hidden], spread: spread(hidden, items) },
      'output.bias': { shape: [items], spread: 0 },
    });
    this.#first = kernels.allocate(shoppers * hidden);
    this.#second = kernels.allocate(shoppers * hidden);
    this.#hiddenGradient = kernels.allocate(shoppers * hidden);
    this.#code = kernels.allocate(shoppers * 2 * latent);
    this.#codeGradient = kernels.allocate(shoppers * 2 * latent);
    this.#z = kernels.allocate(shoppers * latent);
    this.#zGradient = kernels.allocate(shoppers * latent);
    this.#logits = kernels.allocate(shoppers * items);
    this.#weights = kernels.allocate(shoppers);
    this.#firstItems = new Int32Array(shoppers);
  }

  /** Mean of -Σ log p(item) + β · KL over the batch's shoppers; gradients are written, not applied. */
  learn(batch: MultVaeBatch): number {
    for (const { gradient } of this.parameters.values()) gradient.fill(0);
    this.#forward(batch);
    const loss = this.#likelihood(batch);
    return loss + this.#backward(batch);
  }

  /** A copy of the weights, for `createMultVae`. */
  export(): MultVae {
    const { items, hidden, latent } = this.shape;
    const copy = (name: string): Float32Array => this.#p(name).slice();
    return {
      items,
      hidden,
      latent,
      input: copy('input'),
      inputBias: copy('input.bias'),
      code: copy('code'),
      codeBias: copy('code.bias'),
      decoder: copy('decoder'),
      decoderBias: copy('decoder.bias'),
      output: copy('output'),
      outputBias: copy('output.bias'),
    };
  }

  #forward({ items, values, noise }: MultVaeBatch): void {
    const { items: catalogue, hidden, latent } = this.shape;
    const shoppers = items.length;
    const kernels = this.#kernels;
    const input = this.#p('input');
    items.forEach((own, shopper) => {
      const row = this.#first.subarray(shopper * hidden, (shopper + 1) * hidden);
      row.set(this.#p('input.bias'));
      own.forEach((item, at) => {
        const value = values[shopper]![at]!;
        if (value !== 0) for (let k = 0; k < hidden; k++) row[k]! += value * input[item * hidden + k]!;
      });
    });
    tanh(this.#first, shoppers * hidden);
    kernels.matmul(this.#code, this.#first, this.#p('code'), { m: shoppers, n: 2 * latent, k: hidden }, { transposeB: true });
    addBias(this.#code, this.#p('code.bias'), shoppers);
    for (let at = 0; at < shoppers * latent; at++) {
      const code = codeOf(at, latent);
      this.#z[at] = this.#code[code]! + Math.exp(this.#code[code + latent]! / 2) * noise[at]!;
    }
    kernels.matmul(this.#second, this.#z, this.#p('decoder'), { m: shoppers, n: hidden, k: latent }, { transposeB: true });
    addBias(this.#second, this.#p('decoder.bias'), shoppers);
    tanh(this.#second, shoppers * hidden);
    kernels.matmul(this.#logits, this.#second, this.#p('output'), { m: shoppers, n: catalogue, k: hidden }, { transposeB: true });
    addBias(this.#logits, this.#p('output.bias'), shoppers);
  }

  /** Mean of -Σ log p(item); the logits become its gradient. */
  #likelihood({ items }: MultVaeBatch): number {
    const { items: catalogue } = this.shape;
    const shoppers = items.length;
    // The kernel knows one right answer, item 0; of a shopper's n items, loss and gradient differ by what is linear in the logits.
    let loss = 0;
    items.forEach((own, shopper) => {
      const row = shopper * catalogue;
      this.#weights[shopper] = own.length / shoppers;
      for (const item of own) loss += (this.#logits[row]! - this.#logits[row + item]!) / shoppers;
    });
    loss += this.#kernels.softmaxCrossEntropy(this.#logits, this.#firstItems, this.#weights, { rows: shoppers, classes: catalogue });
    items.forEach((own, shopper) => {
      const row = shopper * catalogue;
      this.#logits[row]! += own.length / shoppers;
      for (const item of own) this.#logits[row + item]! -= 1 / shoppers;
    });
    return loss;
  }

  /** Gradients of everything before the logits; returns β · KL. */
  #backward({ items, values, noise, klWeight }: MultVaeBatch): number {
    const { items: catalogue, hidden, latent } = this.shape;
    const shoppers = items.length;
    const kernels = this.#kernels;
    kernels.matmul(this.#g('output'), this.#logits, this.#second, { m: catalogue, n: hidden, k: shoppers }, { transposeA: true });
    addColumns(this.#g('output.bias'), this.#logits, shoppers);
    kernels.matmul(this.#hiddenGradient, this.#logits, this.#p('output'), { m: shoppers, n: hidden, k: catalogue });
    backTanh(this.#hiddenGradient, this.#second, shoppers * hidden);
    kernels.matmul(this.#g('decoder'), this.#hiddenGradient, this.#z, { m: hidden, n: latent, k: shoppers }, { transposeA: true });
    addColumns(this.#g('decoder.bias'), this.#hiddenGradient, shoppers);
    kernels.matmul(this.#zGradient, this.#hiddenGradient, this.#p('decoder'), { m: shoppers, n: latent, k: hidden });

    let divergence = 0; // KL(N(μ, σ²) ‖ N(0, 1)) = Σ (μ² + σ² - 1 - log σ²) / 2
    const share = klWeight / shoppers;
    for (let at = 0; at < shoppers * latent; at++) {
      const code = codeOf(at, latent);
      const [mean, logVariance] = [this.#code[code]!, this.#code[code + latent]!];
      const variance = Math.exp(logVariance);
      divergence += (share * (mean * mean + variance - 1 - logVariance)) / 2;
      this.#codeGradient[code] = this.#zGradient[at]! + share * mean;
      this.#codeGradient[code + latent] = (this.#zGradient[at]! * noise[at]! * Math.sqrt(variance) + share * (variance - 1)) / 2;
    }
    kernels.matmul(this.#g('code'), this.#codeGradient, this.#first, { m: 2 * latent, n: hidden, k: shoppers }, { transposeA: true });
    addColumns(this.#g('code.bias'), this.#codeGradient, shoppers);
    kernels.matmul(this.#hiddenGradient, this.#codeGradient, this.#p('code'), { m: shoppers, n: hidden, k: 2 * latent });
    backTanh(this.#hiddenGradient, this.#first, shoppers * hidden);
    addColumns(this.#g('input.bias'), this.#hiddenGradient, shoppers);
    const gradient = this.#g('input');
    items.forEach((own, shopper) => {
      own.forEach((item, at) => {
        const value = values[shopper]![at]!;
        if (value !== 0) for (let k = 0; k < hidden; k++) gradient[item * hidden + k]! += value * this.#hiddenGradient[shopper * hidden + k]!;
      });
    });
    return divergence;
  }

  #p(name: string): Float32Array {
    return this.parameters.get(name)!.values;
  }

  #g(name: string): Float32Array {
    return this.parameters.get(name)!.gradient;
  }
}

/** Where element `at` of [shoppers, latent] has its mean in [shoppers, 2 · latent]. */
function codeOf(at: number, latent: number): number {
  return at + latent * Math.floor(at / latent);
}

function tanh(values: Float32Array, length: number): void {
  for (let at = 0; at < length; at++) values[at] = Math.tanh(values[at]!);
}

function backTanh(gradient: Float32Array, activated: Float32Array, length: number): void {
  for (let at = 0; at < length; at++) gradient[at]! *= 1 - activated[at]! * activated[at]!;
}
