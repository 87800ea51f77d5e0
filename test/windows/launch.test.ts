import { describe, expect, test } from 'vitest';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import type { TreeScope } from '../../app/domain/script.ts';
import { useWindows } from './support/runtime.ts';

const run = useWindows();
interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

describe('the gate', () => {
  test('holds a script before its first instruction; a released one runs, an aborted one never does', async () => {
    expect(await run.scenario('launch', 'gate')).toEqual({
      before: { alive: 'alive', output: '' },
      exit: { code: 137, signal: null },
      abortedOutput: '',
    });
  });

  test('ends the script when the runner dies before opening it', async () => {
    const { root } = await run.scenario<{ root: ProcessIdentity }>('launch', 'runner dies with the gate closed');
    expect(await run.scenario('processes', 'liveness', { root: JSON.stringify(root) })).toEqual({ liveness: 'dead' });
  });
});

describe('a launched script', () => {
  test.each(['0', '1', '77', '259', '3221225786', '4294967295'])('reports its raw exit code %s', async (code) => {
    const { exit } = await run.scenario<{ exit: Exit }>('launch', 'exit code', { code });
    expect(exit).toEqual({ code: Number(code), signal: null });
  });

  test('survives the death of its runner, and a stranger can watch it to its end', async () => {
    const { scope, go } = await run.scenario<{ scope: TreeScope; go: string }>('launch', 'runner dies');
    expect(await run.scenario('processes', 'watch a stranger', { scope: JSON.stringify(scope), go })).toEqual({
      liveness: 'alive',
      tree: ['root node.exe'],
      identify: null,
    });
  });

  test('appends to its log beside other writers: no line is lost or torn', async () => {
    const { lines } = await run.scenario<{ lines: string[] }>('launch', 'shared log');
    expect(lines).toHaveLength(202);
    expect(lines[0]).toBe('before');
    expect(new Set(lines)).toHaveProperty('size', 202);
    expect(lines.every((line) => /^(?:before|from outside|one \d+|two \d+)$/.test(line))).toBe(true);
  });

  test('is started within a second', async () => {
    const { times } = await run.scenario<{ times: number[] }>('launch', 'launch time');
    const median = times.sort((a, b) => a - b)[times.length >> 1]!;
    console.log(`launch behind the gate, ${run.windows.version}: median ${median} ms of ${times.length}`);
    expect(median).toBeLessThan(1_000);
  });
});

describe('arguments', () => {
  const nasty = [
    '',
    ' ',
    'a b',
    '"',
    'a"b',
    '""',
    '\\',
    'C:\\a b\\',
    '\\\\"',
    '%PATH%',
    '^',
    '&|<>()',
    '!x!',
    'ü€😀',
    '*',
    "'",
    '-',
    'tab\there',
  ];

  test('reach a program as they were given', async () => {
    const args = [...nasty, 'line\nbreak'];
    expect(await run.scenario('launch', 'arguments', { args: JSON.stringify(args) })).toEqual({ args });
  });

  test('reach the program behind a batch file as they were given', async () => {
    // Wine 8's cmd reads `%cd:~,%` differently; Wine 10's and Windows' agree.
    const fit = nasty.filter((a) => run.windows.wineMajor !== 8 || !a.includes('%'));
    const cases = [...fit.filter((a) => a !== '').map((a) => [a]), fit, ['first', '', 'last']];
    const { results } = await run.scenario<{ results: unknown[] }>('launch', 'batch arguments', {
      cases: JSON.stringify(cases),
    });
    expect(results).toEqual(cases);
  });

  test('cannot smuggle a command past a batch file (CVE-2024-24576)', async () => {
    expect(await run.scenario('launch', 'batch injection')).toEqual({ injected: false });
  });
});

test('the environment arrives as given: Unicode, empty values, one spelling of a name, and SystemRoot', async () => {
  const { seen } = await run.scenario<{ seen: Record<string, string> }>('launch', 'environment');
  expect(seen).toMatchObject({ zeta: '1', Alpha: 'ä€😀', Path: 'second', EMPTY: '', 'WITH SPACE': 'a=b' });
  expect(Object.keys(seen).map((name) => name.toLowerCase())).toContain('systemroot');
  expect(Object.keys(seen)).not.toContain('PATH');
});

test('what Windows cannot start is refused with a code and a sentence, and leaves nothing behind', async () => {
  const { answers } = await run.scenario<{ answers: { code?: string; message: string }[] }>(
    'launch',
    'refused launches',
  );
  expect(answers.map((a) => a.code)).toEqual([
    'ENOENT',
    'ENOEXEC',
    'ENOENT',
    'ENOENT',
    'EINVAL',
    'EINVAL',
    'EINVAL',
    'EINVAL',
  ]);
  expect(answers[0]!.message).toContain('missing.exe: the file was not found (Windows error 2)');
});
