/**
 * docs/cli.md and docs/man/unjam.1 are what the program says of itself. After a change:
 * `npx vitest run --project unit test/cli/reference -u`.
 */
import { expect, test } from 'vitest';
import { type CommandText, describe, every } from '../../app/cli/describe.ts';
import { createProgram } from '../../app/cli/program.ts';

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
    '[exit-codes.md](exit-codes.md). What a script gets of its caller, and what `unjam run` does on a signal: [scripts.md](scripts.md).',
    '',
    ...every(program()).slice(1).flatMap(section),
  ];
  await expect(`${text.join('\n').trimEnd()}\n`).toMatchFileSnapshot('../../docs/cli.md');
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
