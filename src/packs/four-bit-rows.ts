import type { QuantisedRows } from '../lib/quantised-rows.ts';

/** Columns that share a multiplier. */
export const GROUP_COLUMNS = 32;

/**
 * An int8 matrix that stays in memory as packs store it, in 4 bits, and is unpacked anew each time `values` is read: a device
 * keeps a copy of its own, and another one is rarely needed. A row can be read by itself.
 */
export class FourBitRows implements QuantisedRows {
  readonly scales: Float32Array;
  readonly columns: number;
  readonly #codes: Uint8Array; // [rows, columns / 2]
  readonly #multipliers: Uint8Array; // [rows, columns / 64]

  /** `columns` is a multiple of 64. */
  constructor({ codes, multipliers, scales, columns }: { codes: Uint8Array; multipliers: Uint8Array; scales: Float32Array; columns: number }) {
    this.#codes = codes;
    this.#multipliers = multipliers;
    this.scales = scales;
    this.columns = columns;
  }

  get values(): Int8Array {
    const values = new Int8Array(this.scales.length * this.columns);
    this.#unpack(0, values.length, 1, values, 0);
    return values;
  }

  /** Writes one row's values, scaled, to `target` from `offset` on: the bits of `dequantiseRow()`. */
  dequantiseRow(row: number, target: Float32Array, offset: number): void {
    this.#unpack(row * this.columns, this.columns, this.scales[row]!, target, offset);
  }

  /** Writes `count` values from the `start`th on, both multiples of 32, times `scale`. */
  #unpack(start: number, count: number, scale: number, target: Int8Array | Float32Array, offset: number): void {
    for (let group = start / GROUP_COLUMNS; group < (start + count) / GROUP_COLUMNS; group++) {
      const multiplier = ((this.#multipliers[group >> 1]! >> ((group & 1) << 2)) & 15) + 1;
      const end = ((group + 1) * GROUP_COLUMNS) / 2;
      for (let at = (group * GROUP_COLUMNS) / 2; at < end; at++) {
        const pair = this.#codes[at]!;
        target[offset++] = ((pair & 15) - 8) * multiplier * scale;
        target[offset++] = ((pair >> 4) - 8) * multiplier * scale;
      }
    }
  }
}
