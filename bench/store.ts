import { summarise, type BenchResult } from './harness.ts';
import { ROUNDS, withPages } from './pages.ts';

/** The shopper's database in a real profile, on disk. */
export async function store(): Promise<BenchResult> {
  return withPages(async (pages) => {
    console.log('IndexedDB: append 100 events, read 5,000, open 5,000 vectors …');
    const { append, read, open } = await pages.measure('storeTimes', ROUNDS);
    const unit = 'ms';
    return {
      rows: [
        summarise({ name: 'append 100 events', unit, ours: append }),
        summarise({ name: 'read 5,000 events', unit, ours: read }),
        summarise({ name: 'open 5,000 cached vectors', unit, ours: open }),
      ],
      tables: [],
    };
  });
}
