import { beforeAll, describe, expect, it } from 'vitest';
import { readReadmeBlock } from '../../bench/readme.ts';
import { buildLibrary, measureSizes, type MeasuredSize } from '../../bench/sizes.ts';

let measured: MeasuredSize[] = [];

beforeAll(async () => {
  await buildLibrary();
  measured = await measureSizes();
});

describe('sizes', () => {
  it('stay within their budgets, the page bundle within 10 kB gzip', () => {
    const page = measured.find(({ name }) => name === 'page');
    expect(page?.limitBytes).toBeLessThanOrEqual(10_000);
    const over = measured.filter(({ gzipBytes, limitBytes }) => limitBytes !== null && gzipBytes > limitBytes);
    expect(over).toEqual([]);
  });

  it('are what the README says (npm run bench -- sizes writes it)', async () => {
    const rows = (await readReadmeBlock('sizes')).split('\n').slice(2);
    const quoted = rows.map((row) => row.split('|').map((cell) => cell.trim()));
    expect(quoted.map(([, name]) => name)).toEqual(measured.map(({ name }) => name));
    measured.forEach(({ gzipBytes }, i) => {
      // Another zlib, or a patch release of a dependency, moves the last digit.
      const tolerance = Math.max(0.1, (gzipBytes / 1000) * 0.002);
      expect(Math.abs(Number(quoted[i]?.[2]) - gzipBytes / 1000)).toBeLessThanOrEqual(tolerance);
    });
  });
});
