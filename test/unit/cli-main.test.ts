import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'shelfwise-cli-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function shelfwise(...args: string[]): { status: number | null; stdout: string; stderr: string[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr: stderr.trim().split('\n') };
}

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const train = (interactions: string, items: string): ReturnType<typeof shelfwise> =>
  shelfwise('train', '--interactions', interactions, '--items', items, '--encoder', 'models/encoder-en', '--out', join(folder, 'out'));

describe('shelfwise', () => {
  it('lists its commands', () => {
    const { status, stdout } = shelfwise('--help');
    expect(status).toBe(0);
    for (const command of ['train', 'encode', 'inspect']) expect(stdout).toContain(`  ${command} `);
  });

  it('ends with 2 and one line that names the file, the line and the column of wrong data', () => {
    const items = write('items.csv', 'item,title\nx,Heart\n');
    const wrong = train(write('wrong.csv', 'user,item,timestamp\na,x,1\na,x,soon\n'), items);
    expect(wrong).toMatchObject({ status: 2, stderr: [expect.stringMatching(/wrong\.csv: line 3: .*"timestamp".*INVALID_DATA/)] });
    const absent = train(join(folder, 'none.csv'), items);
    expect(absent).toMatchObject({ status: 2, stderr: [expect.stringContaining('none.csv')] });
  });

  it('ends with 2 and one line for a wrong option', () => {
    expect(shelfwise('inspect').status).toBe(2);
    expect(shelfwise('train', '--seed', 'x')).toMatchObject({ status: 2, stderr: [expect.stringContaining('--seed')] });
    expect(shelfwise('encode', '--pack', join(folder, 'no-pack'), '--in', write('texts.txt', 'Heart\n'), '--out', join(folder, 'rows.npy'))).toMatchObject({
      status: 2,
      stderr: [expect.stringContaining('no-pack')],
    });
  });
});
