/** Bad values of options, through the real parser: each is refused as wrong words before anything is asked of a host. */
import { expect, test } from 'vitest';
import { createProgram } from '../../app/cli/program.ts';
import { UnjamError } from '../../app/contract/errors.ts';

async function refused(...words: string[]): Promise<{ code: string; field: string | undefined; isUsage: boolean }> {
  try {
    await createProgram().parseAsync(['node', 'unjam', ...words]);
  } catch (error) {
    if (error instanceof UnjamError) return { code: error.code, field: error.field, isUsage: error.isUsage };
    throw error;
  }
  throw new Error('It was not refused.');
}

const starts = ['run', 'start'] as const;
const badOfStarts: readonly (readonly [string, string])[] = [
  ['--timeout', 'banana'],
  ['--timeout', '25h'],
  ['--no-output-timeout', 'banana'],
  ['--no-output-timeout', '1ms'],
  ['--grace', 'soon'],
  ['--grace', '61m'],
  ['--cancel-signal', 'SIGUSR1'],
  ['--ticket', '../x'],
  ['--env', 'NOVALUE'],
  ['--notify', '"unclosed'],
  ['--isolation', 'half'],
  ['--mutex', 'a\nb'],
];

test.each(starts.flatMap((command) => badOfStarts.map(([option, value]) => [command, option, value] as const)))(
  '%s %s %s is refused',
  async (command, option, value) => {
    const more = option === '--isolation' ? ['--mutex', 'm'] : [];
    const { isUsage, field } = await refused(command, option, value, ...more, '--', 'true');
    expect({ isUsage, field }).toEqual({ isUsage: true, field: option === '--isolation' ? 'isolation' : option });
  },
);

test.each([
  ['hold', '--mutex', 'm', '--timeout', '5ms', '--', 'true'],
  ['hold', '--mutex', 'm', '--isolation', 'half', '--', 'true'],
  ['hold', '--mutex', 'm'],
  ['cancel', 't', '--grace', 'soon'],
  ['cancel', 't', '--signal', 'SIGUSR1'],
  ['logs', 't', '--tail', 'few'],
  ['logs', 't', '--tail', '-1'],
  ['logs', 't', '--since', 'x'],
  ['logs', 't', '--stream', 'stdin'],
  ['logs', 't', '--regex'],
  ['history', '--since', 'yesterday'],
  ['drill', '--minutes', 'many'],
  ['serve', '--port', '70000'],
])('%s %s %s %s %s is refused', async (...words) => {
  expect((await refused(...words)).isUsage).toBe(true);
});

test('no option is taken for the negation of another one unless it has no value', () => {
  const all = createProgram().commands.flatMap((command) => command.options);
  for (const option of all) expect([option.flags, option.negate && option.required]).toEqual([option.flags, false]);
});

test('every command has an example in its help', () => {
  const help = (command: ReturnType<typeof createProgram>): string => {
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part) });
    command.outputHelp();
    return text;
  };
  for (const command of createProgram().commands)
    expect(help(command)).toMatch(new RegExp(`Example:\\n  .*unjam ${command.name()}\\b`));
});
