/** npm run export:hugging-face -- --pack DIR --out DIR: the encoder pack in the layout of the Hugging Face hub. */
import { parseArgs } from 'node:util';
import { RecommenderError } from '../../src/errors.ts';
import { writeHuggingFaceLayout } from './write-layout.ts';

const { values: options } = parseArgs({
  options: { pack: { type: 'string', default: 'models/encoder-en' }, out: { type: 'string', default: 'build/hugging-face/encoder-en' } },
});

try {
  for (const { name, bytes } of await writeHuggingFaceLayout(options.pack, options.out)) console.log(`${options.out}/${name}: ${bytes} bytes`);
} catch (error) {
  if (!(error instanceof RecommenderError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
