import { readFile, writeFile } from 'node:fs/promises';

const README = new URL('../README.md', import.meta.url);

/** What stands in the README between `<!-- NAME -->` and `<!-- /NAME -->`: text that a bench printed. */
export async function readReadmeBlock(name: string): Promise<string> {
  const { text, start, end } = await findBlock(name);
  return text.slice(start, end).trim();
}

/** Replaces that text, so that the README quotes what was measured. */
export async function writeReadmeBlock(name: string, markdown: string): Promise<void> {
  const { text, start, end } = await findBlock(name);
  await writeFile(README, `${text.slice(0, start)}\n\n${markdown.trim()}\n\n${text.slice(end)}`);
}

async function findBlock(name: string): Promise<{ text: string; start: number; end: number }> {
  const text = await readFile(README, 'utf8');
  const opening = `<!-- ${name} -->`;
  const start = text.indexOf(opening) + opening.length;
  const end = text.indexOf(`<!-- /${name} -->`, start);
  if (start < opening.length || end < 0) throw new Error(`README.md has no block ${name}.`);
  return { text, start, end };
}

/** A GitHub table; numbers are right-aligned by the caller's `---:`. */
export function formatMarkdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = header.map((_, column) => (column === 0 ? '---' : '---:'));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}
