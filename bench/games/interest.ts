import { packInterest } from '../../src/learn/write-recommender.ts';
import { openTrainingKernels } from '../../src/compute/open-training-kernels.ts';
import { groupByUser } from '../../src/learn/histories.ts';
import { DEFAULT_INTEREST_TRAINING, trainInterest, type InterestTrainingOptions } from '../../src/learn/interest-training.ts';
import { parseSafetensors, type SafeTensors } from '../../src/lib/safetensors.ts';
import { cached } from '../text-vectors.ts';
import { gamesShop, type Games } from './data.ts';

/** Not searched: the defaults of the command line with a sampled loss, because 16,859 items in full would take hours. */
export const GAMES_TRAINING: InterestTrainingOptions = {
  ...DEFAULT_INTEREST_TRAINING,
  maxEpochs: 8,
  patience: 1,
  refitEpochs: 0,
  embedding: 64,
  hidden: 96,
  learningRate: 4e-3,
  loss: { kind: 'sampled-softmax', negatives: 512, sampler: 'popularity' },
};

/** The interest LSTM of a shop of games, trained on all but each user's last two items; kept between runs, since it takes minutes. */
export async function gamesInterest(games: Games, keep?: (item: number) => boolean): Promise<SafeTensors> {
  const shop = gamesShop(games, 2, keep);
  const bytes = await cached('games-interest', [JSON.stringify(GAMES_TRAINING), ...shop.itemIds], async () => {
    const kernels = await openTrainingKernels({ maxBytes: 2 ** 30, threads: 2 });
    const data = {
      protocol: 'leave-one-out' as const,
      training: groupByUser(shop.log),
      refit: groupByUser(gamesShop(games, 1, keep).log),
      textVectors: shop.textVectors,
      textDimensions: shop.textDimensions,
      priceQuantiles: shop.priceQuantiles,
      itemPrices: shop.itemPrices,
    };
    const trained = await trainInterest(data, kernels, GAMES_TRAINING, {
      onEpoch: ({ epoch, loss, ndcg, seconds }) => console.log(`games: epoch ${epoch}, loss ${loss.toFixed(4)}, validation NDCG@10 ${ndcg?.toFixed(4) ?? '-'}, ${seconds.toFixed(0)} s`),
    });
    await kernels.close();
    return packInterest(trained.tuned);
  });
  return parseSafetensors(bytes);
}
