// npm run bench -- NAME [--json FILE]: measures; without a name it lists what can be measured.
import { setUp, runNode, typescript } from './set-up.mjs';

setUp();
process.exitCode = runNode([...typescript('bench/run.ts'), ...process.argv.slice(2)]);
