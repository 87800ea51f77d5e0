/** The Event Log, and who is at the other end of a connection. */
import { describe, expect, test } from 'vitest';
import type { Peer } from '../../app/processes/peer.ts';
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
    if (isWindows) return; // docs/windows-checklist.md 9.3 looks at Event Viewer
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

describe('the host’s pipe', () => {
  test('names who may come in, and a client is told who serves it: by its process and by the owner of the pipe', async () => {
    const seen = await run.scenario<{ own: Peer; closed: string | null; list: string; owner: string }>(
      'system',
      'server owner',
    );
    expect(seen).toMatchObject({ closed: null, served: seen.own, nobody: { ids: [], pid: null } });
    expect([...seen.list.matchAll(/;;;([\w-]+)\)/g)].map(([, who]) => who)).toEqual(['OW', 'SY', 'BA', 'WD']);
    expect(seen.list).toMatch(/^D:P\(A;;\w+;;;OW\)/);
    expect(seen.own.ids).toContain(seen.owner.replace(/^O:BA$/, 'S-1-5-32-544').replace(/^O:/, ''));
  });
});

test('limits and graces are counted by a clock that leaves sleep out and that nobody sets', async () => {
  const { first, uptime } = await run.scenario<{ first: number; uptime: number }>('system', 'clock');
  expect(first).toBeGreaterThan(0);
  // Without sleep it is never ahead of the time since the start, which counts whole seconds.
  expect(first).toBeLessThanOrEqual(uptime + 1_000);
});

test('the right to read and end processes of others is on only while that is done, also when it fails', async () => {
  expect(await run.scenario('system', 'privilege')).toEqual({
    held: true, // Wine's only user is an administrator
    before: false,
    within: true,
    fault: 'gone meanwhile',
    after: false,
  });
});

describe('the host of the machine', () => {
  test('is found by a record in the registry, with every letter; a damaged one is refused, and none is none', async () => {
    const seen = await run.scenario<{ host: unknown }>('system', 'machine record');
    expect(seen).toEqual({
      host: seen.host,
      before: null,
      written: seen.host,
      hosts: expect.any(Boolean) as boolean,
      damaged: expect.stringContaining('cannot be used') as string,
      after: null,
    });
  });

  test('is a task that the Task Scheduler takes; what it cannot read is an error, and the status is what is there', async () => {
    const seen = await run.scenario<{ damaged: string; registered: string; statuses: string[] }>('system', 'task');
    expect(seen.damaged).toContain('schtasks.exe');
    // Wine keeps the settings that it knows, and neither triggers nor the command.
    for (const kept of [
      '<MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>',
      '<AllowHardTerminate>false</AllowHardTerminate>',
      '<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>',
      ...(isWindows ? ['grün &amp; co', '<Interval>PT1M</Interval>', '<UserId>S-1-5-18</UserId>'] : []),
    ])
      expect(seen.registered).toContain(kept);
    expect(seen).toMatchObject({
      statuses: ['not installed', 'installed; its host does not answer', expect.stringMatching(/^active, as .+\\.+/)],
      left: false,
    });
  });

  test('knows accounts and groups by their names, and gives roles by what Windows says of a caller', async () => {
    const seen = await run.scenario<{
      account: string;
      groups: string[];
      user: string;
      found: Record<string, string | null>;
      owners: string[];
      roles: unknown;
      said: string[];
    }>('system', 'accounts');
    expect(seen.found).toEqual({
      [seen.user]: seen.account,
      'BUILTIN\\Users': 'S-1-5-32-545',
      Everyone: 'S-1-1-0',
      'NT AUTHORITY\\SYSTEM': 'S-1-5-18',
      's-1-5-32-545': 'S-1-5-32-545',
      'nobody-here': null,
    });
    expect(seen.owners).toEqual([seen.account, 'S-1-5-18', 'S-1-5-32-544']);
    expect(seen.roles).toEqual({ byAccount: 'operator', byGroup: 'operator', byNobody: null, asOwner: 'owner' });
    expect(new Set(seen.said)).toEqual(
      new Set(['W331 Nobody is called "nobody-here" on this machine: the role operator is given to no one.']),
    );
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
