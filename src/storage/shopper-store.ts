import type { QuantisedRows } from '../lib/quantised-rows.ts';
import type { BehaviourKind, Item } from '../types.ts';

/** What a behaviour row keeps: enough to replay it with nothing but the packs. Opaque to the store. */
export interface BehaviourPayload {
  readonly type: BehaviourKind;
  /** The item as the shopper saw it then. */
  readonly item?: Item;
  readonly slate?: string;
  readonly query?: string;
  readonly value?: number;
  /** Unix milliseconds by the injected clock. */
  readonly time: number;
}

/** One row of the behaviour log (DESIGN.md, "storage"). */
export interface BehaviourRow {
  /** Order of arrival over all tabs, from 1. */
  readonly seq: number;
  /** Chosen by the page when the event was tracked; storing it twice keeps one row. */
  readonly id: string;
  /** Whose history on a shared device; `anonymous` by default. */
  readonly partition: string;
  readonly schemaVersion: 1;
  readonly payload: BehaviourPayload;
}

export type NewBehaviourRow = Omit<BehaviourRow, 'seq'>;

/** Model state after the row `lastSeq`, valid only for the same pack and the same kernel. */
export interface Checkpoint {
  readonly partition: string;
  readonly packRevision: string;
  readonly encoderRevision: string;
  readonly kernel: string;
  readonly lastSeq: number;
  /** [2 · hidden]: h, then c. */
  readonly state: Float32Array;
}

/** Vectors of many texts, int8 in one typed array: the very values that are served, so that a replay computes with the same bits. */
export interface VectorBlock extends QuantisedRows {
  readonly encoderRevision: string;
  /** Content hashes of the encoded texts, in row order. */
  readonly keys: readonly string[];
}

/** What was shown and with what probability, for off-policy evaluation and explanations. */
export interface SlateRecord {
  readonly id: string;
  readonly partition: string;
  readonly time: number;
  readonly packRevision: string;
  readonly seed: number;
  /** Item ids in the order shown. */
  readonly shown: readonly string[];
  /** Server position of each shown item. */
  readonly serverPositions: readonly number[];
  /** Probability with which the policy put each item there; 1 for a deterministic order. */
  readonly propensities: readonly number[];
}

/** All that is kept of a shopper, as `exportData()` hands it out. */
export interface ShopperExport {
  readonly exportedAt: string;
  readonly partition: string;
  readonly behaviour: readonly BehaviourRow[];
  readonly slates: readonly SlateRecord[];
  readonly checkpoints: readonly (Omit<Checkpoint, 'state'> & { readonly state: readonly number[] })[];
}

export interface StoreSizes {
  readonly behaviourRows: number;
  readonly vectors: number;
  readonly slates: number;
}

/** Where a shopper's data lives. Two homes: IndexedDB (consent `granted`) and memory (`session`, or IndexedDB refused). */
export interface ShopperStore {
  readonly home: 'indexeddb' | 'memory';
  /** Appends in order, at most once per id; resolves with each row's seq when the rows are stored. */
  append(rows: readonly NewBehaviourRow[]): Promise<number[]>;
  /** Rows of a partition in seq order: those after `after` (default all), at most the newest `last`. */
  readBehaviour(partition: string, options?: { after?: number; last?: number }): Promise<BehaviourRow[]>;
  readCheckpoint(partition: string): Promise<Checkpoint | undefined>;
  writeCheckpoint(checkpoint: Checkpoint): Promise<void>;
  /** Every block of a revision, in one read; where a text is in several, the last counts. */
  readVectors(encoderRevision: string): Promise<VectorBlock[]>;
  writeVectors(block: VectorBlock): Promise<void>;
  /** Makes one block of all those of a revision; each text keeps the vector that counted. */
  joinVectors(encoderRevision: string): Promise<void>;
  logSlate(slate: SlateRecord): Promise<void>;
  readSlate(id: string): Promise<SlateRecord | undefined>;
  /**
   * A small JSON value about this browser that outlives the visit, for instance which device won the race. It says nothing of the
   * shopper: it is not exported, belongs to no partition, and does not follow a visit from memory into the database; erased with the rest.
   */
  readSetting(key: string): Promise<unknown>;
  writeSetting(key: string, value: unknown): Promise<void>;
  exportData(partition: string): Promise<ShopperExport>;
  /** Removes everything of every partition, vectors included; resolves when nothing is left. */
  erase(): Promise<void>;
  sizes(): Promise<StoreSizes>;
  /** Calls back when another tab appended rows or erased; returns its stop. */
  onChange(listener: (change: 'appended' | 'erased') => void): () => void;
  close(): Promise<void>;
}
