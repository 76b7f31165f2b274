import { startWorker } from '../../src/worker/entry.ts';

startWorker();
