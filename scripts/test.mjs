// npm test: installs what is missing, finds a Chromium and runs every check. Its last line is the sum of all of them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, fail, runNode, say, setUp, typescript } from './set-up.mjs';

const REPORTS = '.cache/test';

/** Each runner's arguments, and what its own report says; tsc and eslint are one check each. */
const steps = [
  { name: 'type check', args: ['node_modules/typescript/bin/tsc', '-p', '.'] },
  { name: 'lint', args: ['node_modules/eslint/bin/eslint.js', '.'] },
  {
    name: 'unit and parity tests',
    args: ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${REPORTS}/vitest.json`],
    report: 'vitest.json',
    count: ({ numPassedTests, numFailedTests, numPendingTests, numTodoTests }) => ({
      passed: numPassedTests,
      failed: numFailedTests,
      skipped: numPendingTests + numTodoTests,
    }),
  },
  {
    name: 'end-to-end and fault tests',
    args: ['node_modules/@playwright/test/cli.js', 'test', '--reporter=list,json'],
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: join(ROOT, REPORTS, 'playwright.json') },
    report: 'playwright.json',
    // A test that passed only when repeated is not a pass.
    count: ({ stats, errors }) => ({
      passed: stats.expected,
      failed: stats.unexpected + stats.flaky + errors.length,
      skipped: stats.skipped,
    }),
  },
];

setUp();
const env = { CHROMIUM_PATH: provideChromium() };
rmSync(join(ROOT, REPORTS), { recursive: true, force: true });
mkdirSync(join(ROOT, REPORTS), { recursive: true });

const results = steps.map((step) => runStep(step));

console.log('');
for (const { name, passed, failed, skipped, seconds } of results) {
  say(`${name}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''} (${seconds} s)`);
}
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
process.exitCode = sum('failed') > 0 ? 1 : 0;
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);

function runStep(step) {
  console.log('');
  say(`${step.name} …`);
  const start = performance.now();
  const exitCode = runNode(step.args, { env: { ...env, ...step.env } });
  const seconds = Math.round((performance.now() - start) / 1000);
  return { name: step.name, seconds, ...countResults(step, exitCode) };
}

function countResults({ report, count }, exitCode) {
  const whole = { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
  if (report === undefined) return whole;
  let counted;
  try {
    counted = count(JSON.parse(readFileSync(join(ROOT, REPORTS, report), 'utf8')));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }; // the runner died before it could report
  }
  // A file that does not load, or a run without any test, fails without a failed test.
  const unnamed = counted.failed === 0 && (exitCode !== 0 || counted.passed === 0);
  return { ...counted, failed: counted.failed + (unnamed ? 1 : 0) };
}

function provideChromium() {
  try {
    const path = execFileSync(process.execPath, typescript('scripts/provide-chromium.ts'), {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).trim();
    say(`Chromium: ${path}`);
    return path;
  } catch {
    return fail('the end-to-end tests need a Chromium; the line above says what was tried.');
  }
}
