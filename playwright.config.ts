import { createServer, type AddressInfo } from 'node:net';
import { defineConfig } from '@playwright/test';

/** A port that was free a moment ago; the workers read the same one from the environment. */
async function choosePort(variable: string): Promise<number> {
  const chosen = process.env[variable];
  if (chosen !== undefined) return Number(chosen);
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  process.env[variable] = String(port);
  return port;
}

// The demo shop as it is built and served to visitors, and the small pages of test/e2e/pages.
const demo = `http://127.0.0.1:${await choosePort('SHELFWISE_DEMO_PORT')}/`;
const pages = `http://127.0.0.1:${await choosePort('SHELFWISE_PAGES_PORT')}/`;
process.env['SHELFWISE_PAGES_URL'] = new URL('test/e2e/pages/', pages).href;

const outDir = '--outDir ../build/demo-under-test';
const serverOptions = { reuseExistingServer: false, timeout: 180_000, stdout: 'ignore', stderr: 'pipe' } as const;

export default defineConfig({
  testDir: 'test',
  testMatch: ['e2e/**/*.spec.ts', 'faults/**/*.spec.ts'],
  outputDir: 'test-results',
  workers: 2,
  fullyParallel: false,
  retries: 0, // a test that passes when repeated hides a race
  forbidOnly: process.env['CI'] !== undefined,
  timeout: 120_000,
  reporter: 'list',
  use: { baseURL: demo },
  webServer: [
    {
      ...serverOptions,
      // A build of its own, so that a demo which somebody looks at meanwhile is not swapped under the tests, nor theirs under them.
      command: `npx vite build --logLevel warn ${outDir} && npx vite preview ${outDir} --host 127.0.0.1 --strictPort --port ${new URL(demo).port}`,
      url: demo,
    },
    {
      ...serverOptions,
      command: `npx vite --config test/e2e/pages/vite.config.ts --host 127.0.0.1 --strictPort --port ${new URL(pages).port}`,
      port: Number(new URL(pages).port),
    },
  ],
});
