/**
 * docs/cli.md, docs/json.md and docs/man/unjam.1 are what the program says of itself. After a change:
 * `npx vitest run --project unit test/cli/reference -u`.
 */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type CommandText, describe, every } from '../../app/cli/describe.ts';
import { createProgram } from '../../app/cli/program.ts';
import { jsonDocuments, type JsonKind } from '../../app/contract/json-documents.ts';
import { jsonSchema } from '../../app/domain/json-document.ts';
import { fields, json, named } from '../support/schema-tables.ts';

const program = (): CommandText => describe(createProgram());

function section({ path, about, usage, options, example }: CommandText): string[] {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '\\<');
  const table = options.map((option) => `| \`${option.flags}\` | ${cell(option.about)} |`);
  return [
    `## ${path}`,
    '',
    `${about}.`,
    '',
    '```',
    usage,
    '```',
    '',
    ...(table.length === 0 ? [] : ['| Option | |', '|---|---|', ...table, '']),
    ...(example === null ? [] : ['```', example, '```', '']),
  ];
}

test('docs/cli.md is current', async () => {
  const text = [
    '# The command line',
    '',
    'Made from the program itself; a test holds it current, and `man docs/man/unjam.1` shows the same. Exit statuses:',
    '[exit-codes.md](exit-codes.md). What `--json` prints: [json.md](json.md). What a script gets of its caller, and what `unjam run` does on',
    'a signal: [scripts.md](scripts.md).',
    '',
    ...every(program()).slice(1).flatMap(section),
  ];
  await expect(`${text.join('\n').trimEnd()}\n`).toMatchFileSnapshot('../../docs/cli.md');
});

const kinds = Object.keys(jsonDocuments) as JsonKind[];
const link = (name: string): string => `[${name}](api.md#${name.toLowerCase()})`;

function document(kind: JsonKind): string[] {
  const type: z.ZodType = jsonDocuments[kind];
  const alternatives: readonly z.ZodType[] = type instanceof z.ZodUnion ? (type.options as z.ZodType[]) : [type];
  return [
    `## ${kind === 'error' ? 'A command that fails' : `unjam ${kind}`}`,
    '',
    ...(alternatives.length > 1 ? ['One of these.', ''] : []),
    ...alternatives.flatMap((one) => {
      const name = named.get(one);
      return name === undefined ? fields(json(one, 'output'), link) : [`The fields of ${link(name)}.`, ''];
    }),
    ...(type.description === undefined ? [] : [`${type.description.replace(/^./, (c) => c.toUpperCase())}.`, '']),
  ];
}

test('docs/json.md is current', async () => {
  const text = [
    '# What `--json` prints',
    '',
    'Made from the contract; a test holds it current, and another one runs every command and checks what it prints.',
    '',
    `Every command with \`--json\` prints one JSON object on standard output. Its first field is \`"schema": ${jsonSchema}\`; the others are below. The number rises`,
    'when a field goes or changes its meaning. New fields may come at any time without that: ignore what you do not know.',
    '',
    '`logs` prints one object for each entry, each in a line of its own, and `ps --watch` one line for each change. *Export JSON* in the',
    'console’s history gives the document of `unjam history`, of the entries that are shown.',
    '',
    'Nothing of a script makes a terminal do anything: control characters stand as escapes (`\\u001b`), and a JSON parser gives them back.',
    '',
    '```',
    "unjam ps --json | jq -r '.scripts[] | select(.stuck) | .ticket'",
    "unjam locks --json | jq -r '.mutexes[].name'",
    "unjam history --json | jq -r '.entries[].text'",
    '```',
    '',
    ...kinds.flatMap(document),
  ];
  await expect(`${text.join('\n').trimEnd()}\n`).toMatchFileSnapshot('../../docs/json.md');
});

test('every command with --json has its document, and no other has', () => {
  const having = every(program()).filter(({ options }) => options.some(({ flags }) => flags === '--json'));
  expect([...having.map(({ path }) => path.replace('unjam ', '')), 'error'].sort()).toEqual([...kinds].sort());
});

test('docs/man/unjam.1 is current', async () => {
  const roff = (text: string): string =>
    text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/gm, '\\&$&').replaceAll('…', '...').replaceAll(/[“”]/g, '"').replaceAll('’', "'"); // prettier-ignore
  const all = program();
  const text = [
    '.TH UNJAM 1 "" Unjam "User commands"',
    '.SH NAME',
    `unjam \\- ${roff(all.about.charAt(0).toLowerCase() + all.about.slice(1).replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    '.B unjam',
    '.I command',
    '[\\fIoptions\\fR]',
    '.SH COMMANDS',
    ...every(all)
      .slice(1)
      .flatMap(({ about, usage, options, example }) => [
        `.SS ${roff(usage)}`,
        `${roff(about)}.`,
        ...options.flatMap((option) => ['.TP', `\\fB${roff(option.flags)}\\fR`, roff(option.about)]),
        ...(example === null ? [] : ['.PP', 'Example:', '.PP', '.nf', roff(example), '.fi']),
      ]),
    '.SH EXIT STATUS',
    '0 done; 1 something failed; 2 wrong words; 141 nobody reads the output any more.',
    '.B unjam run',
    "exits with the script's own code; docs/exit\\-codes.md has the rest.",
  ];
  await expect(`${text.join('\n')}\n`).toMatchFileSnapshot('../../docs/man/unjam.1');
});

test('every command’s help has an example that names the command', () => {
  for (const { path, example, commands } of every(program()).slice(1))
    expect(example, path).toContain(commands.length > 0 ? path.split(' ')[0] : path);
});
