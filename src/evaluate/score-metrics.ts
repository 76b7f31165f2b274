/**
 * Area under the receiver operating characteristic: the probability that a positive has a higher score than a negative, ties count half
 * (Hanley & McNeil 1982). NaN where either class is empty.
 */
export function auc(scores: ArrayLike<number>, labels: ArrayLike<boolean | number>): number {
  const order = Array.from({ length: scores.length }, (_, at) => at).sort((a, b) => scores[a]! - scores[b]!);
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) end++;
    for (let at = start; at < end; at++) {
      if (!labels[order[at]!]) continue;
      positives++;
      rankSum += (start + end + 1) / 2; // the mean rank of all that are equal, from 1
    }
    start = end;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (order.length - positives));
}

/** Share of predictions that are what came: for a ranking, how often its first place is the next item. NaN without any. */
export function accuracy(predicted: ArrayLike<number>, actual: ArrayLike<number>): number {
  let right = 0;
  for (let at = 0; at < actual.length; at++) if (predicted[at] === actual[at]) right++;
  return right / actual.length;
}

/**
 * Expected calibration error: |mean probability - share that came true| over `bins` bins of equal width (default 15), weighted by how many
 * predictions fall into each (Naeini et al. 2015; Guo et al. 2017). NaN without predictions.
 */
export function expectedCalibrationError(probabilities: ArrayLike<number>, outcomes: ArrayLike<boolean | number>, bins = 15): number {
  const gaps = new Float64Array(bins); // Σ (probability - outcome)
  for (let at = 0; at < probabilities.length; at++) {
    const bin = Math.min(bins - 1, Math.floor(probabilities[at]! * bins));
    gaps[bin]! += probabilities[at]! - (outcomes[at] ? 1 : 0);
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / probabilities.length;
}
