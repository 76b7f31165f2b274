import type { Device, Tensor } from '../compute/device.ts';

/** Vectors of the lists that were ranked last stay on the device up to so many: a few shelves of one page. */
const MOST_ROWS = 1_000;
/** Room for rows comes in steps, so that devices which keep freed memory by its size see few sizes. */
const ROW_STEP = 64;

interface Shelf {
  readonly vectors: readonly Float32Array[];
  readonly tensor: Tensor;
  /** Runs that read it now. */
  users: number;
}

/** Item vectors on the device. A shelf is ranked again after every click: only what is asked of it has changed. */
export class ShelfVectors {
  readonly #device: Device;
  readonly #columns: number;
  /** Most recently used first. */
  #shelves: Shelf[] = [];

  constructor(device: Device, columns: number) {
    this.#device = device;
    this.#columns = columns;
  }

  /** Works with vectors [columns] each as one tensor: below each other and then zeros, [at least vectors, columns]. */
  async use<T>(vectors: readonly Float32Array[], work: (tensor: Tensor) => Promise<T>): Promise<T> {
    const shelf = this.#shelves.find((known) => isSameList(known.vectors, vectors)) ?? { vectors, tensor: this.#upload(vectors), users: 0 };
    this.#shelves = [shelf, ...this.#shelves.filter((other) => other !== shelf)];
    shelf.users++;
    try {
      return await work(shelf.tensor);
    } finally {
      shelf.users--;
      this.#shrink();
    }
  }

  #shrink(): void {
    let rows = 0;
    this.#shelves = this.#shelves.filter(({ tensor, users }) => {
      rows += tensor.shape[0]!;
      if (users > 0 || rows <= MOST_ROWS) return true;
      this.#device.free(tensor);
      return false;
    });
  }

  #upload(vectors: readonly Float32Array[]): Tensor {
    const rows = Math.ceil(vectors.length / ROW_STEP) * ROW_STEP;
    const values = new Float32Array(rows * this.#columns);
    vectors.forEach((vector, row) => values.set(vector, row * this.#columns));
    return this.#device.upload(values, [rows, this.#columns]);
  }
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((element, at) => element === b[at]);
}
