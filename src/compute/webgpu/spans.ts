/** First and end row of each text of a ragged batch, [texts, 2]. */
export function spansOfTexts(lengths: readonly number[]): Int32Array {
  let first = 0;
  return Int32Array.from(lengths.flatMap((length) => [first, (first += length)]));
}

/** The same of each token's text, [tokens, 2]. */
export function spansOfTokens(lengths: readonly number[]): Int32Array {
  let first = 0;
  return Int32Array.from(lengths.flatMap((length) => {
    const span = [first, (first += length)];
    return Array.from({ length }, () => span).flat();
  }));
}
