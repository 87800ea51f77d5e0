/** `npm run wording`: prints the sentences of the program into docs/wording.md, in the order in which the source has them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'svelte/compiler';
import { parseSync } from 'vite';

const repository = join(import.meta.dirname, '..');

/** A file stands in the first chapter that names it or its folder. */
const chapters: readonly (readonly [title: string, where: readonly string[]])[] = [
  ['Lines of the script log', ['app/domain/lines/']],
  ['What a script is doing, and why', ['app/domain/']],
  ['The console', ['renderer/']],
  ['The desktop application', ['main/']],
  ['The command line', ['app/cli/']],
  ['Settings and the contract', ['app/settings/', 'app/contract/']],
  ['The host and what it refuses', ['app/']],
];

/** A node of the syntax tree (ESTree with types, and Svelte's own). */
interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value;
const node = (value: unknown): Node => (isNode(value) ? value : { type: 'None' });
const nodes = (value: unknown): readonly Node[] => (Array.isArray(value) ? value.filter(isNode) : []);

interface Sentence {
  /** Of a log line. */
  readonly code: string;
  readonly text: string;
}

/** What stands for a value: the last name of the expression that gives it. */
function nameOf(of: Node): string {
  switch (of.type) {
    case 'Identifier':
      return String(of['name']);
    case 'MemberExpression': {
      const property = nameOf(node(of['property']));
      return of['computed'] === true || property === 'length' ? nameOf(node(of['object'])) : property;
    }
    case 'CallExpression': {
      const first = nodes(of['arguments']).find(({ type }) => !['Literal', 'ArrowFunctionExpression'].includes(type));
      return nameOf(first ?? node(of['callee']));
    }
    case 'TSAsExpression':
    case 'TSNonNullExpression':
    case 'ChainExpression':
      return nameOf(node(of['expression']));
    case 'BinaryExpression':
    case 'LogicalExpression':
      return nameOf(node(of['left']));
    case 'UnaryExpression':
    case 'AwaitExpression':
      return nameOf(node(of['argument']));
    default:
      return '…';
  }
}

/** A text with its values as {names} and its choices as [one / other]. */
function textOf(of: Node): string {
  switch (of.type) {
    case 'Literal':
      return typeof of['value'] === 'string' ? of['value'] : '';
    case 'TemplateLiteral': {
      const values = nodes(of['expressions']).map(textOf);
      return nodes(of['quasis'])
        .map(({ value }, at) => (value as { cooked: string }).cooked + (values[at] ?? ''))
        .join('');
    }
    case 'ConditionalExpression':
      return choice([textOf(node(of['consequent'])), textOf(node(of['alternate']))]);
    case 'BinaryExpression':
      return of['operator'] === '+' ? textOf(node(of['left'])) + textOf(node(of['right'])) : `{${nameOf(of)}}`;
    case 'CallExpression': {
      const callee = nameOf(node(of['callee']));
      const [n, one] = nodes(of['arguments']).map((argument) => (argument.type === 'Literal' ? textOf(argument) : nameOf(argument))); // prettier-ignore
      if (callee === 'count') return `{${n}} ${one}(s)`;
      if (callee === 'processes' || callee === 'processCount') return `{${n}} process(es)`;
      return `{${nameOf(of)}}`;
    }
    default:
      return `{${nameOf(of)}}`;
  }
}

/** "[one / other]"; a choice within a choice is the same choice, and - stands for nothing. */
function choice(texts: readonly string[]): string {
  if (texts.every((text) => text.trim() === '')) return '';
  const flat = texts.flatMap((text) => (/^\[[^[\]]*\]$/.test(text) ? text.slice(1, -1).split(' / ') : [text]));
  return `[${flat.map((text) => (text.trim() === '' ? '-' : text)).join(' / ')}]`;
}

const inline = ['strong', 'span', 'kbd', 'code', 'em', 'a', 'label'];
const isInline = (child: Node): boolean =>
  child.type === 'IfBlock' || (child.type === 'RegularElement' && inline.includes(String(child['name'])));
const isSpoken = (name: unknown): boolean =>
  ['title', 'aria-label', 'placeholder', 'alt', 'label'].includes(String(name));

/** Two words side by side; what is no prose (queries, selectors, programs) is told by its signs. */
const isProse = (text: string): boolean =>
  /\p{L}{2,}[,:;.]? (\p{L}|\{|\[)/u.test(text) &&
  !/^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ALTER|DROP|WITH|BEGIN|VACUUM)\b/.test(text) &&
  !/\bunjam\.[a-z]|\bpg_\w|current_setting\(|\$\$|^select format|^(un)?listen \{/.test(text) && // SQL of the fleet
  !/=>|;\n|^[.#[]?[\w-]+,? ?[\w-]*[,[]\w*\[|^#|<!doctype|<\?xml|__stdcall|charset=|^NUL |\$\(|^\$|&&|\[tabindex|^end with-|^field small$|\bprintf\b|-- -- /.test(
    text,
  );

/** Those of one file, in its order; `file` tells the language. */
export function sentencesOf(file: string, source: string): readonly Sentence[] {
  const found: Sentence[] = [];
  const add = (text: string, code = ''): void => {
    const one = text.replaceAll(/\s+/g, ' ').trim();
    if (!isProse(one) && (code === '' || one === '')) return;
    if (!found.some((other) => other.text === one && other.code === code)) found.push({ code, text: one });
  };

  /** Text of markup that is read in one go; what is none of it is visited by itself. */
  function markup(children: readonly Node[]): string {
    return children
      .map((child): string => {
        if (child.type === 'Text') return String(child['data']);
        if (child.type === 'ExpressionTag') return textOf(node(child['expression']));
        if (child.type === 'IfBlock') {
          const alternate = node(child['alternate']);
          return choice([markup(nodes(node(child['consequent'])['nodes'])), markup(nodes(alternate['nodes']))]);
        }
        if (isInline(child)) return markup(nodes(node(child['fragment'])['nodes']));
        return ' ';
      })
      .join('');
  }

  /** `isPart`: the text of this markup has been read with what is around it. */
  function visit(value: unknown, isPart = false): void {
    if (Array.isArray(value)) for (const one of value) visit(one, isPart);
    if (!isNode(value)) return;
    const { type } = value;
    if (type.startsWith('Import') || (type.startsWith('TS') && !/^TS(As|NonNull|Satisfies)/.test(type))) return;
    if (type === 'Attribute') {
      const parts = nodes(value['value']);
      const isText = parts.some((part) => part.type === 'Text') || isNode(value['value']);
      if (isSpoken(value['name']) && isText && parts.length > 0) return add(markup(parts));
      return parts.some((part) => part.type === 'Text') ? undefined : visit(value['value']);
    }
    if (type === 'Fragment') {
      if (!isPart) add(markup(nodes(value['nodes'])));
      for (const child of nodes(value['nodes']))
        // What has been read as a part of this text is visited for its attributes alone.
        if (child.type !== 'ExpressionTag') visit(child, isInline(child));
      return;
    }
    if (type === 'IfBlock' || type === 'EachBlock' || type === 'KeyBlock') {
      const parts = ['consequent', 'alternate', 'body', 'fallback', 'fragment'];
      for (const key of parts) visit(value[key], type === 'IfBlock');
      return;
    }
    if (type === 'CallExpression') {
      const [code, ...parts] = nodes(value['arguments']);
      if (nameOf(node(value['callee'])) === 'line' && code !== undefined && /^[IW]\d{3}/.test(codeOf(code)))
        return add(parts.map(part).join(' '), codeOf(code));
    }
    if (['Literal', 'TemplateLiteral'].includes(type) || (type === 'BinaryExpression' && value['operator'] === '+')) {
      const text = textOf(value);
      if (isProse(text)) return add(text);
    }
    for (const [key, child] of Object.entries(value))
      if (!['loc', 'css', 'metadata', 'parent', 'typeAnnotation'].includes(key)) visit(child, isPart);
  }

  if (file.endsWith('.svelte')) {
    const { instance, fragment } = parse(source, { modern: true });
    visit([instance?.content, fragment]);
  } else {
    const { program, errors } = parseSync(file, source);
    if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`);
    visit(program);
  }
  return found;
}

const codeOf = (of: Node): string =>
  of.type === 'ConditionalExpression'
    ? `${codeOf(node(of['consequent']))}, ${codeOf(node(of['alternate']))}`
    : of.type === 'Literal'
      ? textOf(of)
      : '';
const part = (of: Node): string => (of.type === 'SpreadElement' ? `{${nameOf(node(of['argument']))}}…` : textOf(of));

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/[<*_`]/g, (sign) => `\\${sign}`);

function table(sentences: readonly Sentence[]): string {
  const rows = sentences.some(({ code }) => code !== '')
    ? ['| Code | What it says |', '| --- | --- |', ...sentences.map(({ code, text }) => `| ${code} | ${cell(text)} |`)]
    : ['| What it says |', '| --- |', ...sentences.map(({ text }) => `| ${cell(text)} |`)];
  return rows.join('\n');
}

export function wordingPage(): string {
  const files = ['app', 'main', 'renderer']
    .flatMap((folder) =>
      readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map(
        (file) => `${folder}/${file.replaceAll('\\', '/')}`,
      ),
    )
    .filter((file) => /\.(ts|svelte)$/.test(file) && !file.endsWith('.d.ts'))
    .sort();
  const chapterOf = (file: string): string =>
    chapters.find(([, where]) => where.some((folder) => file.startsWith(folder)))?.[0] ?? '';
  const said = files.map((file) => ({
    file,
    chapter: chapterOf(file),
    sentences: sentencesOf(file, readFileSync(join(repository, file), 'utf8')),
  }));
  const tables = chapters.map(([title]) => {
    const rows = said
      .filter(({ chapter, sentences }) => chapter === title && sentences.length > 0)
      .map(({ file, sentences }) => `### ${file}\n\n${table(sentences)}`);
    return `## ${title}\n\n${rows.join('\n\n')}`;
  });
  return `# Wording

Printed by \`npm run wording\` from the source; do not edit it by hand. Every sentence that Unjam says, to be read from top
to bottom. {name} stands for a value, [one / other] for a choice, and - for nothing.

${tables.join('\n\n')}
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(join(import.meta.dirname, '../docs/wording.md'), wordingPage());
