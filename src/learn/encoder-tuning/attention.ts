export interface AttentionShape {
  readonly heads: number;
  readonly hidden: number;
}

/**
 * Scaled dot-product attention within each text (Vaswani et al. 2017, section 3.2), the training twin of the devices' `attention`:
 * qkv [tokens, 3 · hidden], the tokens of all texts one after the other, to out [tokens, hidden]. Plain loops: titles have a dozen
 * tokens, so that it is a hundredth of the layer's arithmetic.
 */
export function attentionForward(out: Float32Array, qkv: Float32Array, lengths: readonly number[], { heads, hidden }: AttentionShape): void {
  const width = 3 * hidden;
  const headSize = hidden / heads;
  let first = 0;
  for (const length of lengths) {
    const weights = new Float64Array(length * length);
    for (let head = 0; head < heads; head++) {
      const [query, key, value] = columnsOf(head, hidden, headSize);
      attentionWeights(weights, qkv, first, length, query, key, width, headSize);
      for (let i = 0; i < length; i++) {
        const row = (first + i) * hidden + query;
        out.fill(0, row, row + headSize);
        for (let j = 0; j < length; j++) {
          const weight = weights[i * length + j]!;
          const from = (first + j) * width + value;
          for (let d = 0; d < headSize; d++) out[row + d]! += weight * qkv[from + d]!;
        }
      }
    }
    first += length;
  }
}

/** From d(loss)/d(out) [tokens, hidden] to d(loss)/d(qkv), which is overwritten; the weights are computed again rather than kept. */
export function attentionBackward(gradientQkv: Float32Array, gradientOut: Float32Array, qkv: Float32Array, lengths: readonly number[], { heads, hidden }: AttentionShape): void {
  const width = 3 * hidden;
  const headSize = hidden / heads;
  let first = 0;
  for (const length of lengths) {
    const weights = new Float64Array(length * length);
    const gradients = new Float64Array(length);
    gradientQkv.fill(0, first * width, (first + length) * width);
    for (let head = 0; head < heads; head++) {
      const [query, key, value] = columnsOf(head, hidden, headSize);
      attentionWeights(weights, qkv, first, length, query, key, width, headSize);
      for (let i = 0; i < length; i++) {
        const out = (first + i) * hidden + query;
        let mean = 0; // Σ weight · d(loss)/d(weight), what the soft-max takes off
        for (let j = 0; j < length; j++) {
          const from = (first + j) * width + value;
          const weight = weights[i * length + j]!;
          let sum = 0;
          for (let d = 0; d < headSize; d++) {
            sum += gradientOut[out + d]! * qkv[from + d]!;
            gradientQkv[from + d]! += weight * gradientOut[out + d]!;
          }
          gradients[j] = sum;
          mean += weight * sum;
        }
        for (let j = 0; j < length; j++) {
          const score = (weights[i * length + j]! * (gradients[j]! - mean)) / Math.sqrt(headSize);
          const atQuery = (first + i) * width + query;
          const atKey = (first + j) * width + key;
          for (let d = 0; d < headSize; d++) {
            gradientQkv[atQuery + d]! += score * qkv[atKey + d]!;
            gradientQkv[atKey + d]! += score * qkv[atQuery + d]!;
          }
        }
      }
    }
    first += length;
  }
}

function columnsOf(head: number, hidden: number, headSize: number): [query: number, key: number, value: number] {
  return [head * headSize, hidden + head * headSize, 2 * hidden + head * headSize];
}

/** weights [length, length], each row the soft-max of one token's scores. */
function attentionWeights(weights: Float64Array, qkv: Float32Array, first: number, length: number, query: number, key: number, width: number, headSize: number): void {
  for (let i = 0; i < length; i++) {
    let largest = -Infinity;
    for (let j = 0; j < length; j++) {
      let score = 0;
      for (let d = 0; d < headSize; d++) score += qkv[(first + i) * width + query + d]! * qkv[(first + j) * width + key + d]!;
      weights[i * length + j] = score /= Math.sqrt(headSize);
      largest = Math.max(largest, score);
    }
    let total = 0;
    for (let j = 0; j < length; j++) total += weights[i * length + j] = Math.exp(weights[i * length + j]! - largest);
    for (let j = 0; j < length; j++) weights[i * length + j]! /= total;
  }
}
