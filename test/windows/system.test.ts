/** The Event Log, and who is at the other end of a connection. */
import { describe, expect, test } from 'vitest';
import { isWindows, useWindows } from './support/runtime.ts';

const run = useWindows();

describe('the Event Log', () => {
  test('takes the host’s lines, with type, number and text', async () => {
    // Wine keeps no log; it prints on its debug channel what it was given.
    const program = run.windows.run('system', ['event log', run.windows.path(run.windows.folder), '{}'], {
      env: { WINEDEBUG: '-all,+eventlog' },
    });
    const { stdout, stderr } = await program.finish();
    expect(stdout).toContain('{"problems":[]}');
    if (isWindows) return; // docs/windows-checklist.md 8.1 looks at Event Viewer
    expect(stderr).toContain('step 4 [9f2c]: Cancel requested by CONTOSO');
    expect(stderr).toContain('second line');
    expect(stderr).not.toContain('not for monitoring');
  });
});

describe('the user at the other end', () => {
  test('of a pipe is told for one client after another, and while others stay connected', async () => {
    const { user, owners, ms } = await run.scenario<{ user: string; owners: unknown[]; ms: number }>(
      'system',
      'pipe owner',
    );
    console.log(`longest look at the handles, ${run.windows.version}: ${ms.toFixed(1)} ms`);
    expect(owners).toEqual([user, user, user]);
  });

  test('of a connection over the loopback is told, and of this process, whatever its environment claims', async () => {
    const { user, ...others } = await run.scenario<{ user: string }>('system', 'tcp owner');
    expect(others).toEqual({ owner: user, current: user });
  });
});

describe('the registry', () => {
  test('gives a policy with every letter and by its type, and nothing when there is no key', async () => {
    expect(await run.scenario('system', 'policy')).toEqual({
      before: null,
      values: { DisableForceKill: 1, 'Grün €': 'grün €', OverdueFactor: 2.5 },
    });
    expect(await run.scenario('system', 'policy', { remove: 'yes' })).toEqual({ absent: null });
  });

  test('holds a PATH of any length whole while a folder comes and goes', async () => {
    const seen = await run.scenario<{ with: string; without: string; as: string; long: string }>(
      'system',
      'machine path',
    );
    expect(seen.as).toContain('system32');
    expect(seen.without).toBe(`${seen.as};${seen.long}`);
    expect(seen.with).toBe(`${seen.without};C:\\grün\\bin`);
  });

  test('says an error where it cannot be read: what held stays in force then', async () => {
    expect(await run.scenario('system', 'registry error')).toEqual({
      answer: expect.stringMatching(/^failed: .*Windows error/) as string,
    });
  });
});
