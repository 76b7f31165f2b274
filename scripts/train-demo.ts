// npm run train:demo: trains models/online-retail, the demo's pack, as it ships; `-- --resume` goes on where it stopped.
import { runTrain } from '../src/cli/train.ts';
import { ONLINE_RETAIL, ONLINE_RETAIL_WORKING } from '../bench/quality/online-retail.ts';

await runTrain({ ...ONLINE_RETAIL, out: 'models/online-retail', working: ONLINE_RETAIL_WORKING, name: 'online-retail', resume: process.argv.includes('--resume') });
