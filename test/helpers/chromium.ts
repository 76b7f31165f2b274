import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from '@playwright/test';

/** WebGPU on machines without a GPU (SwiftShader), and no traffic of the browser's own. */
export const CHROMIUM_FLAGS: readonly string[] = [
  '--no-sandbox', // containers run as root, where Chromium refuses to start its sandbox
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const MAC_APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * The Chromium that tests drive: `CHROMIUM_PATH`, else an installed Chrome or Chromium, else Playwright's own download.
 * @returns its executable, or undefined where there is none.
 * @throws Error when `CHROMIUM_PATH` names no file.
 */
export function findChromium(): string | undefined {
  const chosen = process.env['CHROMIUM_PATH'];
  if (chosen !== undefined && chosen !== '') {
    if (!existsSync(chosen)) throw new Error(`CHROMIUM_PATH names ${chosen}, which does not exist.`);
    return chosen;
  }
  const directories = (process.env['PATH'] ?? '').split(':').filter((directory) => directory !== '');
  const installed = directories.flatMap((directory) => NAMES.map((name) => join(directory, name)));
  return [...installed, ...MAC_APPLICATIONS, chromium.executablePath()].find((path) => existsSync(path));
}

export interface ShopperLaunch {
  /** A profile folder that outlives the context, for tests of a second visit; by default a fresh one, removed on close. */
  readonly profile?: string;
  /** Flags besides `CHROMIUM_FLAGS`. */
  readonly flags?: readonly string[];
  /** Default true. */
  readonly headless?: boolean;
}

/**
 * Opens a browser as a shopper has it. The context is persistent, since IndexedDB in an incognito context lives in memory
 * and would make storage look faster and emptier than it is.
 */
export async function launchShopper({ profile, flags = [], headless = true }: ShopperLaunch = {}): Promise<BrowserContext> {
  const executablePath = findChromium();
  const directory = profile ?? (await mkdtemp(join(tmpdir(), 'shelfwise-shopper-')));
  const context = await chromium.launchPersistentContext(directory, {
    args: [...CHROMIUM_FLAGS, ...flags],
    headless,
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  if (profile === undefined) {
    context.on('close', () => {
      // Chromium's last writes may race with the removal; a folder left in the temporary directory is harmless.
      void rm(directory, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
    });
  }
  return context;
}
