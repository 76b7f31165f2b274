import { PRETRAINING_KINDS, pretrainingName, type PretrainingKind } from '../../src/learn/pretraining-kinds.ts';
import type { HelpsData } from './data-sets.ts';
import type { Run, RunOptions } from './run.ts';
import { NO_DISTORTION } from './stream-distortion.ts';

/** One thing that may help, and what it is compared with. */
export interface Method {
  readonly name: string;
  readonly needsTitles?: boolean;
  /** Share of the shoppers that are learnt from; with its own plain training beside it. */
  readonly share: number;
  readonly change: (run: Run, data: HelpsData) => Run;
}

/** Of the shoppers, drawn whole. */
export const SHARES = [1, 0.1, 0.01] as const;

export const percent = (share: number): string => `${100 * share} %`;

const withOptions = (name: string, change: (options: RunOptions) => Partial<RunOptions>, needsTitles = false): Method => ({
  name,
  needsTitles,
  share: 1,
  change: (run) => ({ ...run, options: { ...run.options, ...change(run.options) } }),
});

const pretrained = (kind: PretrainingKind, shares: readonly number[], name: (share: number) => string, sameShoppers?: true): Method[] =>
  shares.map((share) => ({
    name: `pretraining by ${pretrainingName(kind)}, ${name(share)}`,
    share,
    change: (run, { pretrainingEpochs }) => ({ ...run, pretraining: { kind, epochs: pretrainingEpochs[kind], ...(sameShoppers && { sameShoppers }) } }),
  }));

/** What is tried, each alone. */
export const METHODS: readonly Method[] = [
  { name: 'contrastive loss, λ .1, temperature .2', share: 1, change: (run) => ({ ...run, contrastive: { weight: 0.1, temperature: 0.2 } }) },
  { name: 'adversarial inputs, ε .3', share: 1, change: (run) => ({ ...run, adversarial: { epsilon: 0.3 } }) },
  withOptions('crop half of the streams to .6', () => ({ distortion: { ...NO_DISTORTION, crop: 0.5 } })),
  withOptions('mask .15 of the events', () => ({ distortion: { ...NO_DISTORTION, mask: 0.15 } })),
  withOptions('reorder .3 of half of the streams', () => ({ distortion: { ...NO_DISTORTION, reorder: 0.5 } })),
  withOptions('products instead of cosines', () => ({ cosine: 0 })),
  withOptions('title noise in .3 of the items', () => ({ titleNoise: 0.3 }), true),
  ...PRETRAINING_KINDS.flatMap((kind) => [
    ...pretrained(kind, SHARES, (share) => `then ${percent(share)} of the shoppers`),
    ...pretrained(kind, SHARES.slice(1), (share) => `on the same ${percent(share)} of the shoppers`, true),
  ]),
];

/** The training without any of them. Of few shoppers a chunk is smaller and epochs are more, so that there are steps to learn in. */
export function plainRun({ options }: HelpsData, share: number, seed: number): Run {
  if (share === 1) return { share, options: { ...options, seed } };
  const lanes = Math.max(4, Math.round((options.lanes * Math.sqrt(share)) / 4) * 4);
  return { share, options: { ...options, seed, lanes, warmUpSteps: Math.round(options.warmUpSteps * share), maxEpochs: 2 * options.maxEpochs } };
}
