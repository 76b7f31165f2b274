// The worker as a file of its own, for pages without a bundler: published with everything it needs.
import { startWorker } from './entry.ts';

startWorker();
