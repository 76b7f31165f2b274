import { NEUTRAL_TEXTS } from '../src/learn/generic-training.ts';
import type { PackManifest } from '../src/packs/pack.ts';

/** The README.md of a recommender pack for shops without logs. */
export function genericCard({ name, licence, encoder, features, files, trainingData, measured }: PackManifest): string {
  return `# ${name}

A recommender pack for a shop that has no logs yet: it knows no item, only texts. A joint head reads ${features?.names.length ?? 0} features of a candidate: how
alike its title is to what the shopper did and typed (vectors of encoder \`${encoder?.revision ?? '-'}\`, and words), the server's order where it sends scores,
sales where it sends them, and how much is known of the shopper. ${files.reduce((sum, { bytes }) => sum + bytes, 0)} bytes. Licence of the weights: ${licence}.

## Data

${trainingData.map(({ name: data, licence: terms, credit }) => `- ${data} (${terms}): ${credit}`).join('\n')}

## Training

\`npm run train:generic\` asks, on a month of invoices, what comes next after 0 to 14 lines, in ${measured['head.lists'] ?? 0} lists of related, selling and random items.
Half of the lists come with an imitated server's order, half with sales, and half of the shoppers without their history, so that the head learns to
do without each. No item's identity and no price is read.

A shop's mean text is not known here. It is estimated for each list, from its candidates and from Online Retail's mean, which counts as ${NEUTRAL_TEXTS} candidates.

## Limits

English titles; one shop's shoppers, who buy gifts by the dozen. \`npm run bench -- transfer\` ranks other shops with it, beside their popularity and a pack of
their own: a shop with logs should train its own.
`;
}
