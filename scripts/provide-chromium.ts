/** Finds a Chromium that starts, or fetches one; its path is the only line on standard output. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { CHROMIUM_FLAGS, findChromium } from '../test/helpers/chromium.ts';

const PLAYWRIGHT = 'node_modules/@playwright/test/cli.js';
const DOWNLOAD_LIMIT_MS = 300_000; // 170 MB; a network that hangs must not eat the tests' own time
const say = (line: string): void => console.error(`shelfwise: ${line}`);

const isRoot = process.getuid?.() === 0;
const hasApt = process.platform === 'linux' && existsSync('/usr/bin/apt-get');

process.exitCode = provide();

function provide(): number {
  let found: string | undefined;
  try {
    found = findChromium();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
  const path = [found, chromium.executablePath()].find(starts) ?? download() ?? installWithApt();
  if (path === undefined) {
    say('no Chromium could be found or fetched: install Chrome or Chromium, or set CHROMIUM_PATH to one.');
    return 1;
  }
  console.log(path);
  return 0;
}

/** Whether this browser shows an empty page; a snap stub or one without its libraries does not. */
function starts(path: string | undefined): boolean {
  if (path === undefined || !existsSync(path)) return false;
  try {
    execFileSync(path, ['--headless', ...CHROMIUM_FLAGS, '--dump-dom', 'about:blank'], { stdio: 'ignore', timeout: 30_000 });
    return true;
  } catch {
    say(`${path} is there but does not start; looking further.`);
    return false;
  }
}

function download(): string | undefined {
  say('no Chromium is installed: downloading the one that Playwright offers …');
  const env = { ...process.env, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '10000' };
  const downloaded = spawnSync(process.execPath, [PLAYWRIGHT, 'install', 'chromium'], {
    stdio: ['ignore', 2, 2],
    timeout: DOWNLOAD_LIMIT_MS,
    env,
  });
  const path = chromium.executablePath();
  if (downloaded.status !== 0 || !existsSync(path)) return undefined;
  if (starts(path)) return path;
  if (!isRoot || !hasApt) return undefined;
  say('adding the system libraries that it needs (apt) …');
  spawnSync(process.execPath, [PLAYWRIGHT, 'install-deps', 'chromium'], { stdio: ['ignore', 2, 2] });
  return starts(path) ? path : undefined;
}

function installWithApt(): string | undefined {
  if (!isRoot || !hasApt) return undefined;
  say('installing Chromium with apt …');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]): boolean => spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env }).status === 0;
  if (!apt('update', '-q') || !apt('install', '-q', '-y', '--no-install-recommends', 'chromium')) return undefined;
  const path = findChromium();
  return starts(path) ? path : undefined;
}
