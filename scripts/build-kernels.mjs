// Compiles the AssemblyScript kernels into TypeScript modules that carry the WebAssembly bytes as base64, so that no
// bundler, server or content-security policy of a shop has to know about .wasm files. Skips what has not changed.
// What a page loads is deflated before; training starts synchronously, which inflating does not.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const assembly = 'src/compute/wasm/assembly';
const helper = { source: 'src/compute/wasm/task-ring.ts', output: 'src/compute/wasm/training-helper.generated.ts' };
const modules = [
  { entry: 'serving-int8.ts', relaxed: true, deflated: true, output: 'src/compute/wasm/int8-relaxed.generated.ts' },
  { entry: 'serving-f32.ts', relaxed: true, deflated: true, output: 'src/compute/wasm/f32-relaxed.generated.ts' },
  { entry: 'serving-f32.ts', relaxed: false, deflated: true, output: 'src/compute/wasm/f32-simd.generated.ts' },
  { entry: 'training.ts', relaxed: false, deflated: false, output: 'src/compute/wasm/training-kernels.generated.ts' },
  { entry: 'training.ts', relaxed: false, deflated: false, shared: true, output: 'src/compute/wasm/training-kernels-shared.generated.ts' },
];

function inputsHash() {
  const hash = createHash('sha256');
  const compiler = readFileSync(join(root, 'node_modules/assemblyscript/package.json'), 'utf8');
  hash.update(JSON.parse(compiler).version).update(readFileSync(fileURLToPath(import.meta.url)));
  hash.update(readFileSync(join(root, helper.source)));
  for (const name of readdirSync(join(root, assembly)).sort()) hash.update(name).update(readFileSync(join(root, assembly, name)));
  return hash.digest('hex').slice(0, 16);
}

function isCurrent(output, stamp) {
  try {
    return readFileSync(join(root, output), 'utf8').startsWith(stamp);
  } catch {
    return false;
  }
}

async function compile({ entry, relaxed, shared }) {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const args = [`${assembly}/${entry}`, '--outFile', 'kernels.wasm', '--baseDir', root, '-O3', '--converge', '--noAssert'];
  args.push('--runtime', 'stub', '--enable', 'simd', '--importMemory', '--use', 'abort=');
  if (relaxed) args.push('--enable', 'relaxed-simd');
  if (shared) args.push('--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536');
  const { error, stderr } = await asc.main(args, {
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents;
    },
  });
  if (error || !binary) throw new Error(`${entry} does not compile.\n${stderr.toString()}`, { cause: error });
  return binary;
}

/** Renamed into place, so that whoever reads meanwhile sees the old module or the new one. */
function write(output, contents) {
  const whole = `${join(root, output)}.${process.pid}`;
  writeFileSync(whole, `${stamp}${contents}`);
  renameSync(whole, join(root, output));
}

/** The helpers' module as text that a thread starts from. */
async function writeHelper() {
  const { default: ts } = await import('typescript');
  const { outputText } = ts.transpileModule(readFileSync(join(root, helper.source), 'utf8'), { compilerOptions: { target: 'es2022', module: 'esnext', removeComments: true } });
  const start = "import { parentPort, workerData } from 'node:worker_threads';\nhelp(workerData, () => parentPort.postMessage('ready'));\n";
  write(helper.output, `export const HELPER_SOURCE = ${JSON.stringify(outputText + start)};\n`);
  console.log(`${helper.output}: ${outputText.length} characters`);
}

const stamp = `// Made by scripts/build-kernels.mjs from inputs ${inputsHash()}.\n`;
for (const module of modules) {
  const { deflated, output } = module;
  if (isCurrent(output, stamp)) continue;
  const binary = await compile(module);
  // Shorter blocks, each with its own codes, come out smaller than those of the default memLevel.
  const base64 = Buffer.from(deflated ? deflateRawSync(binary, { level: 9, memLevel: 5 }) : binary).toString('base64');
  write(output, `export const KERNELS_BASE64 =\n  '${base64}';\n`);
  console.log(`${output}: ${binary.length} bytes of WebAssembly, ${gzipSync(base64, { level: 9 }).length} gzip as it travels`);
}
if (!isCurrent(helper.output, stamp)) await writeHelper();
