import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listSources, readImports, reachableFrom } from '../helpers/source-imports.ts';

const files = listSources('src');
const imports = readImports('src');

/** lib, types and errors <- domains <- worker/engine <- worker/entry; the page and the command line stand beside. */
const DOMAINS = ['behaviour', 'compute', 'encoder', 'encoders', 'evaluate', 'explain', 'forecast', 'learn', 'packs', 'policy', 'privacy', 'rank', 'storage'];
const PAGE = ['src/index.ts', 'src/recommender.ts', 'src/options.ts', 'src/page/', 'src/worker/client.ts'];
/** Types only: what crosses between the layers. */
const CONTRACTS = ['src/worker/protocol.ts', 'src/worker/environment.ts', 'src/worker/rpc.ts'];

/** Where each third-party library may be imported. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  '@duckdb/node-api': ['src/cli/table.ts'],
  '@tensorflow/tfjs': ['src/compute/tfjs/'],
  '@tensorflow/tfjs-backend-webgpu': ['src/compute/webgpu/'],
  '@tensorflow/tfjs-core': ['src/compute/webgpu/', 'src/compute/tfjs/'],
  '@observablehq/plot': ['src/cli/report/plots.ts'],
  'cli-progress': ['src/cli/progress.ts'],
  commander: ['src/cli/main.ts'],
  linkedom: ['src/cli/report/plots.ts'],
};

/** The plain forms of metrics that `shelfwise evaluate` adds up as it goes, and is tested against. */
const FOR_TESTS = ['src/evaluate/score-metrics.ts'];

/** What package.json exports, as sources. */
const ENTRIES = ['src/index.ts', 'src/worker/entry.ts', 'src/worker/shelfwise.worker.ts', 'src/compute/tfjs/device.ts', 'src/encoders/transformers.ts'];

type Layer = 'base' | 'domain' | 'contract' | 'engine' | 'entry' | 'page' | 'cli' | 'library' | 'outside';
const ALLOWED: Readonly<Record<Exclude<Layer, 'library' | 'outside'>, readonly Layer[]>> = {
  base: ['base'],
  contract: ['base', 'domain', 'contract'],
  domain: ['base', 'domain', 'library'],
  engine: ['base', 'domain', 'contract', 'engine'],
  entry: ['base', 'domain', 'contract', 'engine', 'entry'],
  page: ['base', 'contract', 'page'],
  cli: ['base', 'domain', 'contract', 'engine', 'cli', 'library'],
};

function layerOf(path: string): Layer {
  if (!path.startsWith('src/')) return path.startsWith('.') || existsSync(path) ? 'outside' : 'library';
  if (/^src\/(lib\/|types\.ts|errors\.ts)/.test(path)) return 'base';
  if (CONTRACTS.includes(path)) return 'contract';
  if (PAGE.some((prefix) => path.startsWith(prefix))) return 'page';
  if (DOMAINS.some((domain) => path.startsWith(`src/${domain}/`))) return 'domain';
  if (path.startsWith('src/cli/')) return 'cli';
  if (path === 'src/worker/entry.ts' || path === 'src/worker/shelfwise.worker.ts') return 'entry';
  if (path.startsWith('src/worker/')) return 'engine';
  return 'outside';
}

const show = ({ from, to }: { from: string; to: string }): string => `${from} -> ${to}`;

describe('directions of imports', () => {
  it('gives every source file a layer', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => layerOf(file) === 'outside')).toEqual([]);
  });

  it('points from the worker and the page down to lib, never up or out of src', () => {
    const wrong = imports.filter(({ from, to, how }) => {
      const source = layerOf(from);
      if (source === 'library' || source === 'outside') return true;
      if (how === 'type' && layerOf(to) === 'contract') return false;
      // The page answers with types of what the worker stores and packs; types cost no bytes.
      if (how === 'type' && source === 'page' && layerOf(to) === 'domain') return false;
      return !ALLOWED[source].includes(layerOf(to));
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('keeps contracts free of code', () => {
    const code = imports.filter(({ from, how }) => CONTRACTS.includes(from) && how !== 'type');
    expect(code.map(show)).toEqual([]);
  });

  it('keeps the page bundle to the page', () => {
    const reached = [...reachableFrom(['src/index.ts'], imports)];
    expect(reached.filter((file) => !['base', 'page'].includes(layerOf(file)))).toEqual([]);
  });

  it('imports each third-party library in one place', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (layerOf(to) !== 'library' || to.startsWith('node:')) return false;
      return LIBRARIES[to]?.some((home) => from.startsWith(home)) !== true;
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('keeps Node out of what a browser loads', () => {
    const reached = [...reachableFrom(['src/index.ts', 'src/worker/entry.ts'], imports)];
    expect(reached.filter((file) => file.startsWith('node:'))).toEqual([]);
  });

  it('loads WebGPU and its tensor library only where an adapter exists', () => {
    const reached = [...reachableFrom(['src/worker/entry.ts'], imports)];
    expect(reached.filter((file) => file.startsWith('@tensorflow/') || file.startsWith('src/compute/tfjs/'))).toEqual([]);
  });

  it('loads what only some packs have where a pack has it', () => {
    const reached = [...reachableFrom(['src/worker/entry.ts'], imports)];
    const own = ['forecast/gru', 'forecast/transformer', 'rank/optional-rankers', 'rank/optional-tables', 'rank/simple/ease', 'rank/simple/vmis-knn', 'rank/simple/bilinear-text'];
    expect(reached.filter((file) => own.includes(file.replace(/^src\/|\.ts$/g, '')))).toEqual([]);
  });

  it('has no module that nothing uses, except entries', () => {
    // Baselines and what was tried in training may be there for the benches alone; our own packs are trained by scripts.
    const tried = [...readImports('bench'), ...readImports('scripts')].filter(({ to }) => to.startsWith('src/rank/simple/') || to.startsWith('src/learn/'));
    const used = new Set([...imports, ...tried].map(({ to }) => to));
    expect(files.filter((file) => !used.has(file) && ![...ENTRIES, ...FOR_TESTS, 'src/cli/main.ts'].includes(file))).toEqual([]);
  });
});

describe('the demo', () => {
  it('uses only the public entries', () => {
    // demo/data holds the scripts that prepare the data; they run on Node, before there is a shop.
    const shop = readImports('demo').filter(({ from }) => !from.startsWith('demo/data/'));
    expect(shop.filter(({ to }) => to.startsWith('src/') && !ENTRIES.includes(to)).map(show)).toEqual([]);
  });
});
