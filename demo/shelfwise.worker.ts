import { startWorker } from 'shelfwise/worker';

startWorker();
