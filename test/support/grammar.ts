/** PowerShell and C# that cannot be run here are parsed, by the grammars that an editor uses. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as TreeSitter from '@vscode/tree-sitter-wasm';

const require = createRequire(import.meta.url);
const { Language, Parser } = require('@vscode/tree-sitter-wasm') as typeof TreeSitter;
const grammars = dirname(require.resolve('@vscode/tree-sitter-wasm'));

/** What the grammar does not take, with its line. */
export async function faults(language: 'powershell' | 'c-sharp', text: string): Promise<string[]> {
  await Parser.init();
  const grammar = await Language.load(readFileSync(join(grammars, `tree-sitter-${language}.wasm`)));
  // The grammar of PowerShell does not know "--" between the words of a command.
  const tree = new Parser().setLanguage(grammar).parse(text.replaceAll(' -- ', ' dashes '));
  const found: string[] = [];
  const walk = (node: TreeSitter.Node | null): void => {
    if (node?.isError || node?.isMissing) found.push(`line ${node.startPosition.row + 1}: ${node.text}`);
    else if (node?.hasError) node.children.forEach(walk);
  };
  walk(tree?.rootNode ?? null);
  return found;
}
