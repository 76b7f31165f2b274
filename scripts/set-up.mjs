// What every command needs before its own work. It runs before node_modules exists: Node's own modules only.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Says what happens, apart from the output of what is run. */
export const say = (line) => console.log(`shelfwise: ${line}`);

/** Ends the command with one clear line. */
export function fail(line) {
  console.error(`shelfwise: ${line}`);
  process.exit(1);
}

/** Arguments that make Node run a TypeScript file of this repository. */
export const typescript = (file) => ['--import', 'tsx', join(ROOT, file)];

/** Runs Node in the repository's folder with the terminal's own input and output. @returns the exit code. */
export function runNode(args, { env = {} } = {}) {
  const { status, signal } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } });
  return status ?? (signal === 'SIGINT' ? 130 : 1);
}

/** Installs the packages of the lock file and builds the kernels, each only where it is not done already. */
export function setUp() {
  requireNode();
  if (!isInstalled()) {
    say('installing packages (npm ci) …');
    // npm ci runs the prepare script, which builds the kernels.
    if (runNpm(['ci', '--include=dev', '--no-audit', '--no-fund']) !== 0) {
      fail('npm ci failed: the npm registry must be reachable once; the lines above say what is wrong.');
    }
  }
  if (runNode([join(ROOT, 'scripts/build-kernels.mjs')]) !== 0) fail('the WebAssembly kernels could not be built.');
}

function requireNode() {
  const { engines } = readJson('package.json');
  const [major, minor] = /(\d+)\.(\d+)/.exec(engines.node).slice(1).map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
    fail(`Node ${process.versions.node} is too old: ${engines.node} is needed (https://nodejs.org).`);
  }
}

/** npm writes its own lock into node_modules when an install is complete; it must hold what ours asks for. */
function isInstalled() {
  let installed;
  try {
    installed = readJson('node_modules/.package-lock.json').packages;
  } catch {
    return false;
  }
  return Object.entries(readJson('package-lock.json').packages).every(
    ([path, { version, optional }]) =>
      path === '' || (installed[path] === undefined ? optional === true : installed[path].version === version),
  );
}

function runNpm(args) {
  // npm tells its scripts where it is; without it (`node scripts/demo.mjs`) npm is on the path.
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) return runNode([npm, ...args]);
  return spawnSync('npm', args, { cwd: ROOT, stdio: 'inherit', shell: process.platform === 'win32' }).status ?? 1;
}

const readJson = (file) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
