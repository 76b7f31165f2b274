import { DEFAULT_AUGMENTATION } from '../learn/augmentation.ts';
import { DEFAULT_HEAD_TRAINING } from '../learn/head-training.ts';
import { DEFAULT_INTEREST_TRAINING, type InterestTrainingOptions } from '../learn/interest-training.ts';
import type { ItemLossOptions } from '../learn/losses.ts';
import type { Protocol } from '../learn/protocol.ts';
import { pretrainingName, type PretrainingOptions } from '../learn/pretraining-kinds.ts';
import { SHIPPED_NEIGHBOURS } from '../learn/recommender-training.ts';
import type { PackManifest } from '../packs/pack.ts';

/** What a card says of the loss. */
function describeLoss(loss: ItemLossOptions): string {
  switch (loss.kind) {
    case 'softmax':
      return 'full soft-max over all items';
    case 'sampled-softmax':
      return `soft-max over ${loss.negatives} sampled items (${loss.sampler}) with log-q correction`;
    case 'gbce':
      return `generalised binary cross-entropy with ${loss.negatives} negatives and t = ${loss.calibration}`;
  }
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** The README.md of a trained recommender pack: what it is, what it was trained on and how, and what was measured. */
export function modelCard(
  manifest: PackManifest,
  { interest = DEFAULT_INTEREST_TRAINING, pretraining, protocol, purchasesOnly, until, validationDays, seed }: { interest?: InterestTrainingOptions; pretraining?: PretrainingOptions | undefined; protocol: Protocol; purchasesOnly: boolean; until: number | null; validationDays: number; seed: number },
): string {
  const { dims, features, trainingData, measured } = manifest;
  const day = until === null ? '' : new Date(until * 1_000).toISOString().slice(0, 10);
  const heldBack: Readonly<Record<Protocol, string>> = {
    temporal: `Nothing from ${day} on was learnt or counted. The ${validationDays} days before it`,
    session: 'What the log calls its test was not learnt or counted. Of the sessions before it the last tenth (or what the log calls validation)',
    'leave-one-out': 'Each shopper’s last event was not learnt or counted. The one before it',
  };
  const kinds = DEFAULT_AUGMENTATION;
  const { regularisation, freeze } = interest;
  const head = DEFAULT_HEAD_TRAINING;
  const augmentation = `The log has purchases only, so browsing is imitated while the interest LSTM trains. A line of an invoice is read as a
purchase (${percent(kinds.purchaseShare)}), a cart (${percent(kinds.cartShare)}) or a view (the rest); after a line comes a view (${percent(kinds.noiseViews)}) or a cart
(${percent(kinds.noiseCarts)}) of an item that was *not* bought, drawn by popularity, which the model reads but need not predict. So a view is
right about half the time, a cart nine times of ten, a purchase always: the model learns to trust them in that order. Lines of an
invoice share one time in the log; ${percent(kinds.zeroGapShare)} of the invoices keep the gap of 0, the others get log-normal gaps with a median of 25 s.
Each epoch imitates anew. What this cannot teach: how people really browse; a shop's own views and carts will do better.`;
  return `# ${manifest.name}

A recommender pack: interest LSTM (${dims['embedding'] ?? 0} -> ${dims['hidden'] ?? 0} units), demand LSTM, joint head over ${features?.names.length ?? 0} features, and tables of the
counted rankers (${SHIPPED_NEIGHBOURS} neighbours an item), for ${dims['items'] ?? 0} items. Encoder revision \`${manifest.encoder?.revision ?? '-'}\`. Licence of the weights: ${manifest.licence}.

## Data

${trainingData.map(({ name, licence, credit }) => `- ${name} (${licence})${credit ? `: ${credit}` : ''}`).join('\n')}

${heldBack[protocol]} chose the epoch of the interest LSTM and trained the head, on
models and tables that ended before; then models and tables were fitted again through that part, with the head as it was.

## Kinds and gaps

${purchasesOnly ? augmentation : 'The log has kinds of its own; nothing is imitated.'}

## Training

${pretraining ? `Pretraining by ${pretrainingName(pretraining.kind)}, ${pretraining.epochs} epochs on the same events, which is what the training starts from. ` : ''}Truncated back-propagation through time over ${interest.steps} steps in ${interest.lanes} lanes with the state carried on, ${describeLoss(interest.loss)}, AdamW at
${interest.learningRate} (cosine), dropout ${regularisation.inputDropout} on inputs and ${regularisation.hiddenDropout} on the state, residuals of ${percent(regularisation.residualDropout)} of the items hidden in each step so that the text part
stands alone, gradients clipped at ${interest.clip}, early stopping,${freeze.length > 0 ? ` ${freeze.join(', ')} frozen,` : ''} seed ${seed}: the same seed, data and encoder give the same bytes.

The head: soft-max over each list, AdamW at ${head.learningRate}, falling to 0 over ${head.epochs} epochs (more for a small log), dropout ${head.contextDropout} on h_u. ${percent(1 - head.heldOutShare)} of the shoppers
train it, the others measure it; nothing is chosen by them.
The server's order is a feature of the head; where the log has none, half of its training lists come in an imitated one (basket
neighbours and last week's sales, with noise), the others without.

## Figures

| measured in training | |
|---|---:|
${Object.entries(measured)
  .map(([name, value]) => `| ${name} | ${Number(value.toPrecision(4))} |`)
  .join('\n')}

Quality beside all simple rankers on data that comes later: \`npm run bench -- quality\`, printed in the project's README.
`;
}
