/** docs/cli.md is what the program says of itself. After a change: `npx vitest run --project unit test/cli/reference -u`. */
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../app/cli/program.ts';

function section(command: Command, path: string): string[] {
  let example = '';
  command.configureOutput({ writeOut: (text) => (example = text) });
  command.outputHelp();
  const line = /Example:\n {2}(.*)/.exec(example)?.[1];
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter((option) => option.long !== '--help');
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '\\<');
  return [
    `## ${path}`,
    '',
    `${command.description()}.`,
    '',
    '```',
    `${help.commandUsage(command).replace(/^unjam unjam /, 'unjam ')}`,
    '```',
    '',
    ...(options.length === 0
      ? []
      : [
          '| Option | |',
          '|---|---|',
          ...options.map((option) => `| \`${option.flags}\` | ${cell(option.description)} |`),
          '',
        ]),
    ...(line === undefined ? [] : ['```', line, '```', '']),
    ...command.commands.flatMap((sub) => section(sub, `${path} ${sub.name()}`)),
  ];
}

test('docs/cli.md is current', async () => {
  const program = createProgram();
  const text = [
    '# The command line',
    '',
    'Made from the program itself; a test holds it current. Exit statuses: [exit-codes.md](exit-codes.md). What a script gets of its',
    'caller, and what `unjam run` does on a signal: [scripts.md](scripts.md).',
    '',
    ...program.commands.flatMap((command) => section(command, `unjam ${command.name()}`)),
  ];
  await expect(`${text.join('\n').trimEnd()}\n`).toMatchFileSnapshot('../../docs/cli.md');
});
