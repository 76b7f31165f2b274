import type { Activation } from '../device.ts';
import type { Kernel } from './kernel.ts';
import { activationSource, loadWidth } from './wgsl.ts';

export interface LinearKind {
  readonly rows: number;
  readonly depth: number;
  readonly hasBias: boolean;
  readonly activation: Activation;
  /** The weight is int8 rows with scales. */
  readonly packed: boolean;
  /** Multiplies in float16; sums stay float32. */
  readonly half: boolean;
}

/** How one workgroup's tile of the output is dealt out to its lanes. */
interface Tile {
  readonly name: string;
  readonly lanesDown: number;
  readonly lanesAcross: number;
  readonly rowsPerLane: number;
  readonly columnsPerLane: number;
}

// 64 lanes are whole waves on every GPU (32 or 64 wide), and both tiles leave three quarters of the guaranteed 16,384 bytes of workgroup
// memory to other workgroups of the same core or need no more than two thirds of it.
/** 4 x 64, for a title or one shopper's scores: short in rows, so that few are wasted and many workgroups share the columns. */
const FEW_ROWS: Tile = { name: 'few', lanesDown: 1, lanesAcross: 64, rowsPerLane: 4, columnsPerLane: 1 };
/** 32 x 32, for batches: each value that is fetched is used 32 times, and each lane's 4 x 4 sums need two reads for four products. */
const MANY_ROWS: Tile = { name: 'many', lanesDown: 8, lanesAcross: 8, rowsPerLane: 4, columnsPerLane: 4 };

/** From here on half of a taller tile is filled. */
const MANY = 17;

/** vec4s of the depth that are in workgroup memory at a time: of int8 weights a whole sector of 32 bytes per row. */
const STEP = 8;

/** The kernel for these rows; and its twin for lists of the other length, which will be wanted sooner or later. */
export function linearKernels(kind: LinearKind): { kernel: Kernel; twin: Kernel } {
  const few = createKernel(kind, FEW_ROWS);
  const many = createKernel(kind, MANY_ROWS);
  return kind.rows < MANY ? { kernel: few, twin: many } : { kernel: many, twin: few };
}

/** Workgroups for [rows, columns] values. */
export function linearWorkgroups(rows: number, columns: number): number {
  const { lanesDown, lanesAcross, rowsPerLane, columnsPerLane } = rows < MANY ? FEW_ROWS : MANY_ROWS;
  return Math.ceil(rows / (lanesDown * rowsPerLane)) * Math.ceil(columns / (lanesAcross * columnsPerLane));
}

/**
 * activation(x · weightᵀ + bias): [rows, depth] and [columns, depth] -> [rows, columns]. Both operands pass through workgroup memory
 * in steps along the depth (tiling: Volkov & Demmel 2008), as vec4s whatever the depth is, zeros where it ends.
 */
function createKernel({ depth, hasBias, activation, packed, half }: LinearKind, tile: Tile): Kernel {
  const width = loadWidth(depth);
  const vector = half ? 'vec4<f16>' : 'vec4<f32>';
  const rows = tile.lanesDown * tile.rowsPerLane;
  const columns = tile.lanesAcross * tile.columnsPerLane;
  const kind = [packed && 'int8', `vec${width}`, hasBias && 'bias', activation, half && 'f16'].filter(Boolean);
  return {
    name: `linear, ${tile.name} rows, ${kind.join(' ')}`,
    inputs: {
      x: elementType(width),
      weight: packed ? 'u32' : elementType(width),
      ...(packed && { scales: 'f32' }),
      ...(hasBias && { bias: 'f32' }),
    },
    uniforms: ['rows', 'columns', 'depth'],
    lanes: tile.lanesDown * tile.lanesAcross,
    half,
    source: `
const ROWS = ${rows};
const COLUMNS = ${columns};
const LANES = ${tile.lanesDown * tile.lanesAcross};
const STEP = ${STEP};
const STRIDE = ${STEP + 1}; // one spare, so that lanes side by side read from different banks
var<workgroup> xTile : array<${vector}, ${rows * (STEP + 1)}>;
var<workgroup> weightTile : array<${vector}, ${columns * (STEP + 1)}>;
${activationSource(activation)}
fn loadX(row : i32, load : i32) -> ${vector} {
  if (row >= uniforms.rows || 4 * load >= uniforms.depth) { return ${vector}(); }
  ${loadSource(vector, 'x', 'row', width)}
}
fn loadWeight(column : i32, load : i32) -> ${vector} {
  if (column >= uniforms.columns || 4 * load >= uniforms.depth) { return ${vector}(); }
  ${packed ? `return ${vector}(unpack4x8snorm(weight[column * (uniforms.depth / 4) + load]));` : loadSource(vector, 'weight', 'column', width)}
}
fn main(group : i32, lane : i32) {
  let tilesAcross = (uniforms.columns + COLUMNS - 1) / COLUMNS;
  let firstRow = group / tilesAcross * ROWS;
  let firstColumn = group % tilesAcross * COLUMNS;
  if (firstRow >= uniforms.rows) { return; }
  let down = lane / ${tile.lanesAcross};
  let across = lane % ${tile.lanesAcross};
  var sums : array<array<f32, ${tile.columnsPerLane}>, ${tile.rowsPerLane}>;
  for (var start = 0; 4 * start < uniforms.depth; start += STEP) {
    for (var at = lane; at < ROWS * STEP; at += LANES) {
      xTile[at / STEP * STRIDE + at % STEP] = loadX(firstRow + at / STEP, start + at % STEP);
    }
    for (var at = lane; at < COLUMNS * STEP; at += LANES) {
      weightTile[at / STEP * STRIDE + at % STEP] = loadWeight(firstColumn + at / STEP, start + at % STEP);
    }
    workgroupBarrier();
    for (var k = 0; k < STEP; k++) {
      var weights : array<${vector}, ${tile.columnsPerLane}>;
      for (var c = 0; c < ${tile.columnsPerLane}; c++) { weights[c] = weightTile[(c * ${tile.lanesAcross} + across) * STRIDE + k]; }
      for (var r = 0; r < ${tile.rowsPerLane}; r++) {
        let values = xTile[(r * ${tile.lanesDown} + down) * STRIDE + k];
        for (var c = 0; c < ${tile.columnsPerLane}; c++) { sums[r][c] += f32(dot(values, weights[c])); }
      }
    }
    workgroupBarrier();
  }
  for (var r = 0; r < ${tile.rowsPerLane}; r++) {
    let row = firstRow + r * ${tile.lanesDown} + down;
    for (var c = 0; c < ${tile.columnsPerLane}; c++) {
      let column = firstColumn + c * ${tile.lanesAcross} + across;
      if (row < uniforms.rows && column < uniforms.columns) {
        result[row * uniforms.columns + column] = activate(sums[r][c]${packed ? ' * (127.0 * scales[column])' : ''}${hasBias ? ' + bias[column]' : ''});
      }
    }
  }
}`,
  };
}

function elementType(width: 1 | 4): string {
  return width === 4 ? 'vec4<f32>' : 'f32';
}

/** Four values of a row from value 4 · load on; past the row's end zeros. */
function loadSource(vector: string, buffer: string, row: string, width: 1 | 4): string {
  if (width === 4) return `return ${vector}(${buffer}[${row} * (uniforms.depth / 4) + load]);`;
  return `var values = vec4<f32>();
  for (var i = 0; i < min(4, uniforms.depth - 4 * load); i++) { values[i] = ${buffer}[${row} * uniforms.depth + 4 * load + i]; }
  return ${vector}(values);`;
}
