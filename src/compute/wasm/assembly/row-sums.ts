import { loadLanes, storeLanes } from './lanes';

/** Rows [rows, columns] += bias [columns]; `stride` is the elements from one row to the next. */
export function addBias(values: usize, bias: usize, rows: i32, columns: i32, stride: i32): void {
  const bytes = <usize>columns << 2;
  for (let row = 0; row < rows; ++row, values += <usize>stride << 2) {
    let at: usize = 0;
    for (; at + 16 <= bytes; at += 16) v128.store(values + at, f32x4.add(v128.load(values + at), v128.load(bias + at)));
    for (; at < bytes; at += 4) store<f32>(values + at, load<f32>(values + at) + load<f32>(bias + at));
  }
}

/** sums [columns] += Σ rows [rows, columns], each column in the order of the rows. */
export function addColumns(sums: usize, values: usize, rows: i32, columns: i32, stride: i32): void {
  for (let row = 0; row < rows; ++row, values += <usize>stride << 2) addBias(sums, values, 1, columns, columns);
}
