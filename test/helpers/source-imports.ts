import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** One import, export-from, dynamic import or worker address in a source file. */
export interface SourceImport {
  /** The importing file, for instance `src/worker/engine.ts`. */
  readonly from: string;
  /** What is imported: a file of the repository, or a package's or Node's name. */
  readonly to: string;
  /** Types vanish from the built code; `lazy` is fetched when used. */
  readonly how: 'type' | 'value' | 'lazy';
}

/** TypeScript files below a folder, in sorted order; AssemblyScript is a language of its own. */
export function listSources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('src/compute/wasm/assembly/'))
    .sort();
}

/** Reads every import of the TypeScript files below a folder (relative to the repository). */
export function readImports(folder: string): SourceImport[] {
  return listSources(folder).flatMap((file) => readFileImports(file));
}

function readFileImports(from: string): SourceImport[] {
  const imports: SourceImport[] = [];
  const add = (specifier: ts.Expression | undefined, how: SourceImport['how']): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    imports.push({ from, to: resolveImport(from, specifier.text), how });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? 'type' : 'value');
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly ? 'type' : 'value');
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, 'type');
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], 'lazy');
    } else if (ts.isNewExpression(node) && node.expression.getText() === 'URL' && node.arguments?.[1]?.getText() === 'import.meta.url') {
      add(node.arguments[0], 'lazy');
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(from, readFileSync(from, 'utf8'), ts.ScriptTarget.Latest, true));
  return imports;
}

/** A file's path, or `@scope/package` of a package's deep import. */
function resolveImport(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier.replace(/\?.*$/, ''));
  if (specifier.startsWith('node:')) return specifier;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** Every file that is in memory once these entries are: value imports followed, lazy ones not. */
export function reachableFrom(entries: readonly string[], imports: readonly SourceImport[]): Set<string> {
  const reached = new Set<string>(entries);
  for (const file of reached) {
    for (const { from, to, how } of imports) if (from === file && how === 'value') reached.add(to);
  }
  return reached;
}
