// npm run build: dist/ as it is published: page, worker, standalone worker, tfjs device, command line, types.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, fail, runNode } from './set-up.mjs';

rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
for (const mode of ['page', 'entries', 'worker', 'cli']) {
  const args = ['node_modules/vite/bin/vite.js', 'build', '--config', 'vite.lib.config.ts', '--mode', mode, '--logLevel', 'warn'];
  if (runNode(args) !== 0) fail(`the ${mode} build failed.`);
}
if (runNode(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']) !== 0) fail('the type declarations could not be built.');
