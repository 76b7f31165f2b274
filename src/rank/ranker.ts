import type { Device } from '../compute/device.ts';
import { pricePosition } from '../behaviour/sequence.ts';
import { RecommenderError } from '../errors.ts';
import type { InterestEvent, InterestModel, NextInterest } from '../forecast/interest.ts';
import { writeFeatures, type CandidateView, type ModelScores } from './features.ts';
import type { JointHead } from './head.ts';
import type { OptionalRankers } from './optional-rankers.ts';
import { ShelfVectors } from './shelf-vectors.ts';
import { userTextVector, viewShopper, type PageText, type ShopperEvent, type ShopperView } from './shopper-view.ts';
import { createTitleReader, wordCosine } from './title-words.ts';
import { createItemKnn } from './simple/item-knn.ts';
import { createMarkov } from './simple/markov.ts';
import type { Neighbours } from './simple/neighbours.ts';
import { createPersonalFrequency } from './simple/personal-frequency.ts';
import type { RepeatHabits } from './simple/repeat-habits.ts';
import { createSequentialRules } from './simple/sequential-rules.ts';
import type { SimpleRanker } from './simple/simple-ranker.ts';

/** The counted tables that a pack brings. */
export interface RankerTables {
  readonly transitions: Neighbours;
  readonly rules: Neighbours;
  readonly similarities: Neighbours;
  /** Lines per item, [items]. */
  readonly popularity: Float32Array;
  /** The catalogue's price distribution, [PRICE_QUANTILES]. */
  readonly priceQuantiles: Float32Array;
  /** Mean text vector of the catalogue, [text]. */
  readonly textMean: Float32Array;
  /**
   * Of a pack that knows no catalogue: `textMean` is that of other shops and counts as so many texts beside the candidates' own.
   * null where it is the catalogue's.
   */
  readonly neutralTexts: number | null;
  /** null in packs that were written before there was such a table. */
  readonly repeats: RepeatHabits | null;
}

/** The rankers over the pack's catalogue that every pack has, and those that a pack may have. */
type Counted<T> = Readonly<Record<'markov' | 'rules' | 'lastRules' | 'knn' | 'personal', T>> & Readonly<Record<'ease' | 'sessions', T | null>>;

export interface RankerParts {
  /** null for a pack without an interest LSTM. */
  readonly interest: InterestModel | null;
  /** null while the head is being trained on this ranker's features; `score()` then throws. */
  readonly head: JointHead | null;
  readonly tables: RankerTables;
  /** null, the default, without their tables or their code: their features are then missing. */
  readonly optional?: OptionalRankers | null;
  /** Where similarities of texts are computed. */
  readonly device: Device;
}

/** A shopper as the ranker keeps one: events oldest first, and the interest LSTM's state after the last of them. */
export interface Shopper {
  readonly events: readonly ShopperEvent[];
  /** As `InterestModel` has it: h_u(t) first. */
  readonly state: Float32Array;
  /** What the page of a request says, what says most first; the state knows nothing of it. */
  readonly pageTexts?: readonly PageText[];
}

/** What is computed once per state of the shopper, whatever is ranked. */
export interface PreparedShopper {
  readonly view: ShopperView;
  readonly next: NextInterest | null;
  /** h_u(t), [hidden] */
  readonly hidden: Float32Array;
  readonly scores: Counted<Float32Array>;
  readonly personalRanks: ReadonlyMap<number, number>;
  /** u_u, [text]; null before the first text. */
  readonly userVector: Float32Array | null;
  /** The recent texts and then u_u, all centred on the catalogue's mean, [texts + 1, text]; null before the first text, and where no catalogue is known. */
  readonly centredTexts: Float32Array | null;
  /** uᵀ W, [text]; null without W or before the first text. */
  readonly bilinearQuery: Float32Array | null;
}

/** Scores candidates for a shopper: the models, the counted rankers, the features and the head, wired. */
export class Ranker {
  readonly #parts: RankerParts;
  readonly #text: number;
  readonly #items: number;
  readonly #simple: Counted<SimpleRanker>;
  readonly #vectors: ShelfVectors;
  readonly #readTitles = createTitleReader();
  /** What the LSTM said of the newest state: shelves follow each other faster than behaviours. */
  #said: { readonly state: Float32Array; readonly next: NextInterest } | undefined;

  constructor(parts: RankerParts) {
    this.#parts = parts;
    this.#text = parts.tables.textMean.length;
    this.#items = parts.tables.popularity.length;
    this.#vectors = new ShelfVectors(parts.device, this.#text);
    const { transitions, rules, similarities } = parts.tables;
    this.#simple = {
      markov: createMarkov(transitions),
      rules: createSequentialRules(rules),
      lastRules: createMarkov(rules), // what a chain does with the table of rules
      knn: createItemKnn(similarities),
      personal: createPersonalFrequency(this.#items),
      ease: parts.optional?.ease ?? null,
      sessions: parts.optional?.sessions ?? null,
    };
  }

  get interest(): InterestModel | null {
    return this.#parts.interest;
  }

  /** Where a price stands in the training catalogue, 0 to 1; null without one. */
  pricePosition(price: number | null | undefined): number | null {
    return pricePosition(price, this.#parts.tables.priceQuantiles);
  }

  /** The state of a shopper of whom nothing is known. */
  async initialState(): Promise<Float32Array> {
    return (await this.#parts.interest?.initialState()) ?? new Float32Array(0);
  }

  /** The state after further events (oldest first); `previousTime` is that of the event before them, null for none. */
  async advance(state: Float32Array, events: readonly ShopperEvent[], previousTime: number | null): Promise<Float32Array> {
    if (!this.#parts.interest) return state;
    let before = previousTime;
    const inputs: InterestEvent[] = events.map(({ itemId, textVector, kind, time, pricePosition }) => {
      const gapSeconds = before === null ? null : time - before;
      before = time;
      return { itemId, textVector, kind, gapSeconds, pricePosition };
    });
    return this.#parts.interest.advance(state, inputs);
  }

  async prepare({ events, state, pageTexts }: Shopper, now: number): Promise<PreparedShopper> {
    const view = viewShopper(events, now, this.#text, pageTexts);
    const scored = (ranker: SimpleRanker): Float32Array => {
      const out = new Float32Array(this.#items);
      ranker.score(view.context, out);
      return out;
    };
    const userVector = userTextVector(view, this.#text);
    const { markov, rules, lastRules, knn, personal, ease, sessions } = this.#simple;
    const frequency = scored(personal);
    return {
      view,
      next: await this.#next(state),
      hidden: state.subarray(0, this.#parts.interest?.hidden ?? 0),
      scores: {
        markov: scored(markov),
        rules: scored(rules),
        lastRules: scored(lastRules),
        knn: scored(knn),
        personal: frequency,
        ease: ease && scored(ease),
        sessions: sessions && scored(sessions),
      },
      personalRanks: rankItems(frequency, view.context.history),
      userVector,
      centredTexts: userVector && !this.#parts.tables.neutralTexts ? this.#centred(view.texts, userVector, this.#parts.tables.textMean) : null,
      bilinearQuery: (userVector && this.#parts.optional?.bilinearQuery?.(view)) ?? null,
    };
  }

  /** Feature rows of the candidates, [candidates, FEATURE_COUNT]. */
  async features(shopper: PreparedShopper, candidates: readonly CandidateView[]): Promise<Float32Array> {
    const similarities = { ...(await this.#similarities(shopper, candidates)), wordSimilarities: this.#wordSimilarities(shopper.view, candidates) };
    const { next, personalRanks } = shopper;
    const { popularity, repeats } = this.#parts.tables;
    return writeFeatures(shopper.view, candidates, { next, personalRanks, popularity, repeats, ...shopper.scores, ...similarities }, this.#parts.interest);
  }

  /** y(u,i,t) of each candidate, [candidates]; higher is better. */
  async score(shopper: PreparedShopper, candidates: readonly CandidateView[]): Promise<Float32Array> {
    if (!this.#parts.head) throw new RecommenderError('INTERNAL', 'A ranker without a head makes features only.');
    return this.#parts.head.score(await this.features(shopper, candidates), shopper.hidden);
  }

  async #next(state: Float32Array): Promise<NextInterest | null> {
    const { interest } = this.#parts;
    if (!interest) return null;
    if (this.#said?.state !== state) this.#said = { state, next: await interest.next(state) };
    return this.#said.next;
  }

  /** Cosines of each recent text, and of u_u, to each candidate, and the bilinear form, all centred on the catalogue's mean. */
  async #similarities(
    { view, userVector, centredTexts: centred, bilinearQuery }: PreparedShopper,
    candidates: readonly CandidateView[],
  ): Promise<Pick<ModelScores, 'textSimilarities' | 'textMean' | 'bilinear'>> {
    const texts = view.textWeights.length;
    if (candidates.length === 0 || !userVector) return { textSimilarities: [], textMean: null, bilinear: null };
    const textMean = this.#textMean(candidates);
    const centredTexts = centred ?? this.#centred(view.texts, userVector, textMean);
    const count = texts + (bilinearQuery ? 3 : 2); // the recent texts, u_u, the catalogue's mean, uᵀ W
    const queries = new Float32Array(count * this.#text);
    queries.set(centredTexts);
    queries.set(textMean, (texts + 1) * this.#text);
    if (bilinearQuery) queries.set(bilinearQuery, (texts + 2) * this.#text);
    const vectors = candidates.map(({ textVector }) => textVector);
    const [products] = await this.#vectors.use(vectors, (shelf) =>
      this.#parts.device.run((ops) => [
        ops.linear(ops.input(queries, [count, this.#text]), shelf, null), // [queries, rows of the shelf]
      ]),
    );
    const rows = products!.length / count;
    const row = (query: number): Float32Array => products!.subarray(query * rows, query * rows + candidates.length);
    // q · (v - m) / |v - m| of unit vectors v, from q · v and v · m: |v - m|² = 1 - 2 v · m + m · m.
    const meanSquare = dot(textMean, textMean);
    const lengths = row(texts + 1);
    for (let at = 0; at < lengths.length; at++) lengths[at] = Math.sqrt(Math.max(1e-6, 1 - 2 * lengths[at]! + meanSquare));
    for (let query = 0; query <= texts; query++) {
      const offset = dot(centredTexts.subarray(query * this.#text, (query + 1) * this.#text), textMean);
      const cosines = row(query);
      for (let at = 0; at < cosines.length; at++) cosines[at] = (cosines[at]! - offset) / lengths[at]!;
    }
    const bilinear = bilinearQuery && row(texts + 2);
    if (bilinear) {
      const offset = dot(bilinearQuery, textMean);
      for (let at = 0; at < bilinear.length; at++) bilinear[at]! -= offset;
    }
    return { textSimilarities: Array.from({ length: texts }, (_, text) => row(text)), textMean: row(texts), bilinear };
  }

  /** The catalogue's mean text vector, or what the candidates tell of it where the pack knows no catalogue. */
  #textMean(candidates: readonly CandidateView[]): Float32Array {
    const { textMean, neutralTexts } = this.#parts.tables;
    if (!neutralTexts) return textMean;
    const share = 1 / (neutralTexts + candidates.length);
    const mean = textMean.map((value) => value * neutralTexts * share);
    for (const { textVector } of candidates) for (let k = 0; k < mean.length; k++) mean[k]! += share * textVector[k]!;
    return mean;
  }

  /** Cosines of each recent text's words to each candidate's; null where the head does not read them, or texts are not known. */
  #wordSimilarities({ titles }: ShopperView, candidates: readonly CandidateView[]): Float32Array[] | null {
    const { head } = this.#parts;
    if (titles.length === 0 || head?.reads('titleAffinity') === false) return null;
    if (candidates.some(({ title }) => title === undefined) || titles.every((title) => title === null)) return null;
    const words = this.#readTitles([...titles, ...candidates.map(({ title }) => title)].map((title) => title ?? ''));
    const offered = words.splice(titles.length);
    return words.map((own) => new Float32Array(offered.map((other) => wordCosine(own, other))));
  }

  /** The texts [texts, text] and then u_u, less the catalogue's mean, at unit length again. */
  #centred(texts: Float32Array, userVector: Float32Array, textMean: Float32Array): Float32Array {
    const rows = new Float32Array(texts.length + this.#text);
    rows.set(texts);
    rows.set(userVector, texts.length);
    for (let start = 0; start < rows.length; start += this.#text) {
      const row = rows.subarray(start, start + this.#text);
      for (let k = 0; k < row.length; k++) row[k]! -= textMean[k]!;
      const norm = Math.sqrt(dot(row, row)) || 1;
      for (let k = 0; k < row.length; k++) row[k]! /= norm;
    }
    return rows;
  }
}

/** Place of each of these items that has a score, best first from 0; equal scores by item index. */
function rankItems(scores: Float32Array, items: readonly { readonly item: number }[]): Map<number, number> {
  const scored = [...new Set(items.map(({ item }) => item))].filter((item) => scores[item]! > 0);
  return new Map(scored.sort((a, b) => scores[b]! - scores[a]! || a - b).map((item, rank) => [item, rank]));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
