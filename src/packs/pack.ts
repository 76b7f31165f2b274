import type { SequenceKind } from './sequence-kinds.ts';

/** `pack.json`, version 1: what a pack is, and how to know that it arrived whole. */
export interface PackManifest {
  readonly schemaVersion: 1;
  readonly kind: 'encoder' | 'recommender';
  readonly name: string;
  /** The first 16 hex digits of the SHA-256 over the files' own hashes, in order. */
  readonly revision: string;
  readonly created: string;
  readonly files: readonly PackFile[];
  /** The encoder that a recommender was trained with; `address` is relative to this pack.json. */
  readonly encoder?: { readonly revision: string; readonly address: string };
  /** The pack that a tuned one was made from. */
  readonly base?: { readonly name: string; readonly revision: string };
  readonly dims: Readonly<Record<string, number>>;
  /** What reads the shopper's behaviours in a recommender; an LSTM where it is not said. */
  readonly model?: SequenceKind;
  readonly features?: { readonly name: string; readonly version: number; readonly names: readonly string[] };
  /** Figures that a command of this project printed, by name. */
  readonly measured: Readonly<Record<string, number>>;
  readonly trainingData: readonly { readonly name: string; readonly licence: string; readonly credit: string }[];
  readonly licence: string;
}

export interface PackFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A pack whose files have been hashed; some may still be on their way. */
export interface Pack {
  readonly manifest: PackManifest;
  /** Bytes by file name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** How bytes are fetched: `fetch` in a worker, the file system in Node. */
export type ReadBytes = (address: string, signal?: AbortSignal) => Promise<Uint8Array>;
