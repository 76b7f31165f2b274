import { dequantiseRow, type QuantisedRows } from '../lib/quantised-rows.ts';

/** Rows that the table has room for at first. */
const FIRST_ROWS = 64;

/** Vectors by key: int8 rows of one array, and a table of where they are. When it is full, the least recently used go first. */
export class VectorTable {
  readonly #capacity: number;
  /** Row of each key, least recently used first. */
  readonly #rows = new Map<string, number>();
  #matrix: QuantisedRows;

  constructor(columns: number, capacity: number) {
    this.#capacity = capacity;
    this.#matrix = { values: new Int8Array(0), scales: new Float32Array(0), columns };
  }

  /** Least recently used first. */
  keys(): IterableIterator<string> {
    return this.#rows.keys();
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  /** Vectors, [columns] each, undefined where there is none; asking for them is using them. What comes of one call shares memory. */
  get(keys: readonly string[]): (Float32Array | undefined)[] {
    const { columns } = this.#matrix;
    const rows = keys.map((key) => this.#rows.get(key));
    const vectors = new Float32Array(rows.filter((row) => row !== undefined).length * columns);
    let next = 0;
    return rows.map((row, at) => {
      if (row === undefined) return undefined;
      this.#place(keys[at]!, row);
      const start = columns * next++;
      dequantiseRow(this.#matrix, row, vectors, start);
      return vectors.subarray(start, start + columns);
    });
  }

  /** Takes the row of each key over; a vector that is there already is replaced. */
  set(keys: readonly string[], { values, scales, columns }: QuantisedRows): void {
    keys.forEach((key, from) => {
      const row = this.#rows.get(key) ?? this.#freeRow();
      this.#matrix.values.set(values.subarray(from * columns, (from + 1) * columns), row * columns);
      this.#matrix.scales[row] = scales[from]!;
      this.#place(key, row);
    });
  }

  /** Copies of the rows of keys that are there. */
  rowsOf(keys: readonly string[]): QuantisedRows {
    const { values, scales, columns } = this.#matrix;
    const copy = { values: new Int8Array(keys.length * columns), scales: new Float32Array(keys.length), columns };
    keys.forEach((key, to) => {
      const row = this.#rows.get(key)!;
      copy.values.set(values.subarray(row * columns, (row + 1) * columns), to * columns);
      copy.scales[to] = scales[row]!;
    });
    return copy;
  }

  /** Forgets all, and gives its memory back. */
  clear(): void {
    this.#rows.clear();
    this.#matrix = { ...this.#matrix, values: new Int8Array(0), scales: new Float32Array(0) };
  }

  #place(key: string, row: number): void {
    this.#rows.delete(key);
    this.#rows.set(key, row);
  }

  #freeRow(): number {
    const row = this.#rows.size;
    if (row === this.#capacity) {
      const [oldest] = this.#rows;
      this.#rows.delete(oldest![0]);
      return oldest![1];
    }
    const { values, scales, columns } = this.#matrix;
    if (row === scales.length) {
      const rows = Math.min(this.#capacity, Math.max(FIRST_ROWS, 2 * row));
      this.#matrix = { values: new Int8Array(rows * columns), scales: new Float32Array(rows), columns };
      this.#matrix.values.set(values);
      this.#matrix.scales.set(scales);
    }
    return row;
  }
}
