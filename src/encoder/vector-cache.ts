import { RecommenderError } from '../errors.ts';
import { contentKey } from '../lib/hash.ts';
import type { ShopperStore, VectorBlock } from '../storage/shopper-store.ts';
import type { Candidate } from '../types.ts';
import { EncodingQueue } from './encoding-queue.ts';
import type { TextToEncode } from './encoding-queue.ts';
import type { ItemEncoder } from './item-encoder.ts';
import { itemText } from './item-text.ts';
import { readSentVector } from './sent-vector.ts';

export interface VectorCacheOptions {
  /** Vectors kept in memory, and at most written to one store; the least recently used go first. Default 20,000: 31 MB. */
  readonly capacity?: number;
  /** Called when a batch of texts has its vectors. */
  readonly onReady?: (texts: readonly string[]) => void;
  /** Called when the store refuses; vectors then live in memory alone. */
  readonly onStoreFailed?: (error: RecommenderError) => void;
}

/** Rows per stored block: one write for many vectors, yet few are lost with a tab that closes. */
const BLOCK_ROWS = 64;

/**
 * Vectors of texts by content and encoder revision: in memory, backed by the shopper's store once one is attached, made
 * in the background where they are missing.
 */
export class VectorCache {
  readonly encoderRevision: string;
  readonly dimensions: number;
  readonly #capacity: number;
  readonly #onStoreFailed: (error: RecommenderError) => void;
  readonly #queue: EncodingQueue;
  /** By content key, least recently used first. */
  readonly #vectors = new Map<string, Float32Array>();
  #store: ShopperStore | null = null;
  #stored = new Set<string>();
  #unsaved: string[] = [];
  #saving: Promise<void> = Promise.resolve();

  constructor(encoder: ItemEncoder, { capacity = 20_000, onReady, onStoreFailed }: VectorCacheOptions = {}) {
    this.encoderRevision = encoder.revision;
    this.dimensions = encoder.dimensions;
    this.#capacity = capacity;
    this.#onStoreFailed = onStoreFailed ?? (() => undefined);
    this.#queue = new EncodingQueue(encoder, (batch, vectors) => {
      this.#keep(batch, vectors);
      onReady?.(batch.map(({ text }) => text));
    });
  }

  /** Texts that wait for their vectors. */
  get pending(): number {
    return this.#queue.pending;
  }

  /** A text's vector, [dimensions], unit length; undefined until it was encoded. Not to be changed. */
  get(text: string): Float32Array | undefined {
    const key = contentKey(text);
    const vector = this.#vectors.get(key);
    if (vector) {
      this.#vectors.delete(key);
      this.#vectors.set(key, vector);
    }
    return vector;
  }

  /** A candidate's vector: the one it brings where this encoder's revision made it, else the one of its text. */
  vectorOf(candidate: Candidate): Float32Array | undefined {
    const sent = candidate.vector && readSentVector(candidate.vector, this.encoderRevision, this.dimensions);
    return sent ?? this.get(itemText(candidate));
  }

  /**
   * Encodes texts that have no vector yet, in the background: higher `priority` first (default 0), each text once.
   * @returns when all are there; may be ignored.
   * @throws RecommenderError what the encoder threw; `ABORTED` after `clear()`, `CLOSED` after `close()`.
   */
  enqueue(texts: readonly string[], { priority = 0 }: { priority?: number } = {}): Promise<void> {
    const missing = texts.map((text) => ({ key: contentKey(text), text })).filter(({ key }) => !this.#vectors.has(key));
    return this.#queue.enqueue(missing, priority);
  }

  /** Lets no further batch start; returns what lets the queue go on. */
  pause(): () => void {
    return this.#queue.pause();
  }

  /**
   * Backs the cache with a store, or with none: its vectors are read, and what is known but not in it is written.
   * A stored vector replaces one in memory, so that a replay computes with the same bits.
   */
  async attach(store: ShopperStore | null): Promise<void> {
    await this.flush();
    this.#store = store;
    this.#stored = new Set();
    this.#unsaved = [];
    if (!store) return;
    try {
      for (const block of await store.readVectors(this.encoderRevision)) this.#readBlock(block);
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
    this.#stored.clear();
    this.#unsaved = [];
    await this.#saving;
  }

  /** Gives up what waits, and saves what is there. */
  async close(): Promise<void> {
    this.#queue.drop(new RecommenderError('CLOSED'));
    await this.flush();
  }

  #keep(batch: readonly TextToEncode[], vectors: Float32Array): void {
    batch.forEach(({ key }, row) => this.#remember(key, vectors.slice(row * this.dimensions, (row + 1) * this.dimensions)));
    if (!this.#store) return;
    this.#unsaved.push(...batch.map(({ key }) => key).filter((key) => !this.#stored.has(key)));
    // The batch that is done still counts as pending while it is handed over.
    if (this.#unsaved.length >= BLOCK_ROWS || this.#queue.pending <= batch.length) this.#save();
  }

  #remember(key: string, vector: Float32Array): void {
    this.#vectors.delete(key);
    this.#vectors.set(key, vector);
    if (this.#vectors.size <= this.#capacity) return;
    const [oldest] = this.#vectors.keys();
    this.#vectors.delete(oldest!);
  }

  #readBlock({ dimensions, keys, values }: VectorBlock): void {
    if (dimensions !== this.dimensions || values.length !== keys.length * dimensions) return;
    keys.forEach((key, row) => {
      this.#stored.add(key);
      this.#remember(key, values.slice(row * dimensions, (row + 1) * dimensions));
    });
  }

  /** Hands the next block to the store; writes follow each other. */
  #save(): void {
    const store = this.#store;
    const room = Math.max(0, this.#capacity - this.#stored.size);
    // A vector that memory has already let go is not worth storing.
    const keys = this.#unsaved.splice(0, BLOCK_ROWS).filter((key) => this.#vectors.has(key)).slice(0, room);
    if (!store || keys.length === 0) return;
    const values = new Float32Array(keys.length * this.dimensions);
    keys.forEach((key, row) => values.set(this.#vectors.get(key)!, row * this.dimensions));
    for (const key of keys) this.#stored.add(key);
    const block: VectorBlock = { encoderRevision: this.encoderRevision, dimensions: this.dimensions, keys, values };
    this.#saving = this.#saving
      .then(() => store.writeVectors(block))
      .catch((error: unknown) => this.#onStoreFailed(RecommenderError.from(error, 'STORAGE_FAILED')));
  }
}
