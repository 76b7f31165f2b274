import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';

const FOLDER = fileURLToPath(new URL('../.cache/tfjs-union', import.meta.url));
/** Too large for everybody's install: fetched when this bench is run for the first time. */
const PACKAGES = ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-webgpu@4.22.0'];
const ENTRY = "import * as tf from '@tensorflow/tfjs';\nimport '@tensorflow/tfjs-backend-webgpu';\nglobalThis.tf = tf;\n";

/** Gzip bytes of `@tensorflow/tfjs` with its WebGPU backend, as a page gets them that follows tfjs's documentation. */
export async function measureTfjsUnion(): Promise<number> {
  if (!existsSync(join(FOLDER, 'node_modules/@tensorflow/tfjs-backend-webgpu'))) {
    console.log('installing the tfjs union to build it once …');
    await mkdir(FOLDER, { recursive: true });
    await writeFile(join(FOLDER, 'package.json'), '{ "private": true, "type": "module" }\n');
    await promisify(execFile)('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...PACKAGES], { cwd: FOLDER });
  }
  console.log('building the tfjs union …');
  await writeFile(join(FOLDER, 'entry.js'), ENTRY);
  const built = (await build({
    root: FOLDER,
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, target: 'es2022', minify: true, rolldownOptions: { input: join(FOLDER, 'entry.js'), output: { codeSplitting: false } } },
  })) as Rolldown.RolldownOutput;
  return built.output.reduce((sum, file) => sum + (file.type === 'chunk' ? gzipSync(file.code, { level: 9 }).length : 0), 0);
}
