// npm run demo: installs, builds and serves the demo shop. `--port N` chooses the port, `--dev` serves unbuilt sources.
import { setUp, runNode, say, fail } from './set-up.mjs';

const args = process.argv.slice(2);
const development = args.includes('--dev');
const vite = 'node_modules/vite/bin/vite.js';

setUp();
if (!development) {
  say('building the demo shop …');
  if (runNode([vite, 'build', '--logLevel', 'warn']) !== 0) fail('the demo shop could not be built.');
}
say('serving the demo shop; Ctrl-C stops it.');
process.exitCode = runNode([vite, ...(development ? [] : ['preview']), ...args.filter((arg) => arg !== '--dev')]);
