import { RecommenderError } from '../errors.ts';
import { contentKey } from '../lib/hash.ts';
import { quantiseUnitRows } from '../lib/quantised-rows.ts';
import type { ShopperStore } from '../storage/shopper-store.ts';
import type { Candidate } from '../types.ts';
import { EncodingQueue, PRIORITY, type Priority, type TextToEncode } from './encoding-queue.ts';
import type { ItemEncoder } from './item-encoder.ts';
import { itemText } from './item-text.ts';
import { readSentVector } from './sent-vector.ts';
import { VectorTable } from './vector-table.ts';

export interface VectorCacheOptions {
  /** Gives provisional vectors in the encoder's space, at once: they are neither stored nor counted as there. */
  readonly provisional?: ItemEncoder | undefined;
  /** Vectors kept in memory, and at most written to one store; the least recently used go first. Default 20,000: 8 MB. */
  readonly capacity?: number;
  /** Called when a slice of texts has its vectors. */
  readonly onReady?: (texts: readonly string[]) => void;
  /** Called when the store refuses; vectors then live in memory alone. */
  readonly onStoreFailed?: (error: RecommenderError) => void;
}

/** Rows per block that is written: one write for many vectors, yet few are lost with a tab that closes. */
const BLOCK_ROWS = 64;
/** More blocks than this are made one in idle time. */
const FEW_BLOCKS = 16;

/**
 * Vectors of texts by content and encoder revision: in memory, backed by the shopper's store once one is attached, made
 * in the background where they are missing. They are rounded to int8 before anybody sees them, so that those of today
 * and those read from the store tomorrow are the same bits.
 */
export class VectorCache {
  readonly encoderRevision: string;
  readonly dimensions: number;
  readonly #capacity: number;
  readonly #onStoreFailed: (error: RecommenderError) => void;
  readonly #queue: EncodingQueue;
  readonly #provisionalEncoder: ItemEncoder | undefined;
  readonly #vectors: VectorTable;
  readonly #provisional: VectorTable;
  #store: ShopperStore | null = null;
  #stored = new Set<string>();
  #unsaved: string[] = [];
  #saving: Promise<void> = Promise.resolve();

  constructor(encoder: ItemEncoder, { provisional, capacity = 20_000, onReady, onStoreFailed }: VectorCacheOptions = {}) {
    this.encoderRevision = encoder.revision;
    this.dimensions = encoder.dimensions;
    this.#capacity = capacity;
    this.#onStoreFailed = onStoreFailed ?? (() => undefined);
    this.#provisionalEncoder = provisional;
    this.#vectors = new VectorTable(this.dimensions, capacity);
    this.#provisional = new VectorTable(this.dimensions, capacity);
    this.#queue = new EncodingQueue(encoder, (slice, vectors) => {
      this.#keep(slice, vectors);
      onReady?.(slice.map(({ text }) => text));
    });
  }

  /** Texts that wait for their vectors. */
  get pending(): number {
    return this.#queue.pending;
  }

  /** Whether texts can have provisional vectors while they wait. */
  get isProvisional(): boolean {
    return this.#provisionalEncoder !== undefined;
  }

  /** A text's vector, [dimensions], unit length; undefined until it was encoded. */
  get(text: string): Float32Array | undefined {
    return this.#vectors.get([contentKey(text)])[0];
  }

  /** Candidates' vectors: those that they bring where this encoder's revision made them, else those of their texts. */
  vectorsOf(candidates: readonly Candidate[]): (Float32Array | undefined)[] {
    const ofTexts = this.#vectors.get(candidates.map((candidate) => contentKey(itemText(candidate))));
    return candidates.map(({ vector }, at) => (vector && readSentVector(vector, this.encoderRevision, this.dimensions)) ?? ofTexts[at]);
  }

  /** The vector that stands for a text's own until that is there; undefined before `approximate()`. */
  provisionalOf(text: string): Float32Array | undefined {
    return this.#provisional.get([contentKey(text)])[0];
  }

  /** Makes provisional vectors where there are none of any kind yet. */
  async approximate(texts: readonly string[]): Promise<void> {
    const missing = this.#missing(texts).filter(({ key }) => !this.#provisional.has(key));
    if (!this.#provisionalEncoder || missing.length === 0) return;
    const vectors = await this.#provisionalEncoder.encode(missing.map(({ text }) => text)); // [missing, dimensions]
    this.#provisional.set(missing.map(({ key }) => key), quantiseUnitRows(vectors, this.dimensions));
  }

  /**
   * Encodes texts that have no vector yet, in the background: higher `priority` first (default that of candidates), each text once.
   * @returns when all are there; may be ignored.
   * @throws RecommenderError what the encoder threw; `ABORTED` after `clear()` or by the signal, `CLOSED` after `close()`.
   */
  enqueue(texts: readonly string[], { priority = PRIORITY.candidate, signal }: { priority?: Priority; signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#queue.enqueue(this.#missing(texts), priority, signal);
  }

  /** While a request is under way nothing is prefetched; returns its end. */
  beginRequest(): () => void {
    return this.#queue.beginRequest();
  }

  /**
   * Backs the cache with a store, or with none: its vectors are read, in one go, and what is known but not in it is written.
   * A stored vector replaces one in memory, so that a replay computes with the same bits.
   */
  async attach(store: ShopperStore | null): Promise<void> {
    await this.flush();
    this.#store = store;
    this.#stored = new Set();
    this.#unsaved = [];
    if (!store) return;
    try {
      const blocks = await store.readVectors(this.encoderRevision);
      for (const block of blocks) {
        if (block.columns !== this.dimensions) continue;
        this.#vectors.set(block.keys, block);
        for (const key of block.keys) this.#stored.add(key);
      }
      if (blocks.length > FEW_BLOCKS) void this.#queue.idle().then(() => this.#store === store && this.#write(() => store.joinVectors(this.encoderRevision)));
    } catch (error) {
      this.#onStoreFailed(RecommenderError.from(error, 'STORAGE_FAILED'));
    }
    this.#unsaved = [...this.#vectors.keys()].filter((key) => !this.#stored.has(key));
    await this.flush();
  }

  /** Resolves when all vectors that are there so far are in the store. */
  async flush(): Promise<void> {
    while (this.#unsaved.length > 0) this.#save();
    await this.#saving;
  }

  /** Forgets every vector and all that waits, and resolves when no write to the store is under way any more. */
  async clear(): Promise<void> {
    this.#queue.drop(new RecommenderError('ABORTED', 'The vectors were erased.'));
    this.#vectors.clear();
    this.#provisional.clear();
    this.#stored.clear();
    this.#unsaved = [];
    await this.#saving;
  }

  /** Gives up what waits, and saves what is there. */
  async close(): Promise<void> {
    this.#queue.drop(new RecommenderError('CLOSED'));
    await this.flush();
    this.#store = null;
  }

  #missing(texts: readonly string[]): TextToEncode[] {
    return texts.map((text) => ({ key: contentKey(text), text })).filter(({ key }) => !this.#vectors.has(key));
  }

  #keep(slice: readonly TextToEncode[], vectors: Float32Array): void {
    const keys = slice.map(({ key }) => key);
    this.#vectors.set(keys, quantiseUnitRows(vectors, this.dimensions));
    // The slice that is done still counts as pending while it is handed over.
    const isLast = this.#queue.pending <= slice.length;
    if (isLast) this.#provisional.clear();
    if (!this.#store) return;
    this.#unsaved.push(...keys.filter((key) => !this.#stored.has(key)));
    if (this.#unsaved.length >= BLOCK_ROWS || isLast) this.#save();
  }

  /** Hands the next block to the store. */
  #save(): void {
    const store = this.#store;
    const room = Math.max(0, this.#capacity - this.#stored.size);
    // A vector that memory has already let go is not worth storing.
    const keys = this.#unsaved.splice(0, BLOCK_ROWS).filter((key) => this.#vectors.has(key)).slice(0, room);
    if (!store || keys.length === 0) return;
    for (const key of keys) this.#stored.add(key);
    const block = { encoderRevision: this.encoderRevision, keys, ...this.#vectors.rowsOf(keys) };
    this.#write(() => store.writeVectors(block));
  }

  /** Writes follow each other. */
  #write(work: () => Promise<void>): void {
    this.#saving = this.#saving.then(work).catch((error: unknown) => this.#onStoreFailed(RecommenderError.from(error, 'STORAGE_FAILED')));
  }
}
