import { describe, expect, test } from 'vitest';
import { Access } from '../../app/access/access.ts';
import { auditor } from '../../app/access/audit.ts';
import { UnjamError } from '../../app/contract/errors.ts';
import { type Method, methods } from '../../app/contract/methods.ts';
import { refusalOf, refusalsOf, roleFor } from '../../app/contract/roles.ts';
import type { JournalEntry } from '../../app/journal/journal.ts';

const rules = { access: [{ who: 'CORP\\oncall', role: 'operator' }], viewersReadLogs: true } as const;

describe('what a role may do', () => {
  test.each([
    ['viewer', 'logs.lines', null],
    ['viewer', 'scripts.get', null],
    [
      'viewer',
      'scripts.cancel',
      'You are a viewer on this host; this takes an operator: CORP\\oncall, and administrators.',
    ],
    ['operator', 'scripts.abandon', null],
    ['operator', 'locks.resume', null],
    ['operator', 'drill.start', null],
    ['operator', 'scripts.start', 'You are an operator on this host; this takes an owner: only an administrator of this host.'], // prettier-ignore
    ['owner', 'settings.set', null],
  ] as const)('%s, %s: %s', (role, method, expected) => {
    expect(refusalOf(method, role, rules)).toBe(expected);
  });

  test('a new method that changes something takes an owner until somebody decides otherwise', () => {
    const operators = [
      'scripts.cancel',
      'scripts.kill',
      'scripts.abandon',
      'locks.abandon',
      'locks.resume',
      'observed.cancel',
      'observed.kill',
      'scripts.endProcess',
      'scripts.take',
      'scripts.evidence',
      'observed.take',
      'observed.evidence',
      'drill.start',
    ];
    const viewers = ['console.open'];
    for (const method of Object.keys(methods) as Method[])
      expect(roleFor(method)).toBe(
        methods[method].kind === 'query' || viewers.includes(method)
          ? 'viewer'
          : operators.includes(method)
            ? 'operator'
            : 'owner',
      );
  });

  test('a switch keeps viewers from logs, and from nothing else', () => {
    const off = { ...rules, viewersReadLogs: false };
    const more = Object.keys(refusalsOf('viewer', off)).filter((m) => !(m in refusalsOf('viewer', rules)));
    expect(more).toEqual(['evidence.read', 'logs.read', 'logs.lines', 'logs.search', 'logs.line', 'observed.log']);
    expect(refusalOf('logs.read', 'operator', off)).toBeNull();
  });

  test('an owner is refused nothing', () => {
    expect(refusalsOf('owner', { access: [], viewersReadLogs: false })).toEqual({});
  });
});

describe('the role of a caller', () => {
  const ids: Record<string, string> = { kim: 'uid:1000', 'group:deploy': 'gid:50', 'group:oncall': 'gid:60' };
  const peer = (...all: string[]) => ({ user: 'somebody', ids: all, pid: null });
  const make = (said: string[] = []): Access =>
    new Access({ owners: ['uid:0', 'uid:7'], idOf: async (name) => ids[name] ?? null, log: (line) => said.push(line) });

  test('is the highest of what the account and its groups were given', async () => {
    const access = make();
    await access.use([
      { who: 'kim', role: 'viewer' },
      { who: 'group:deploy', role: 'operator' },
    ]);
    expect(access.roleOf(peer('uid:1000', 'gid:1000'))).toBe('viewer');
    expect(access.roleOf(peer('uid:1000', 'gid:1000', 'gid:50'))).toBe('operator');
    expect(access.roleOf(peer('uid:1001', 'gid:60'))).toBeNull();
    expect(access.roleOf(peer('uid:0'))).toBe('owner');
    expect(access.roleOf(peer('uid:7'))).toBe('owner');
  });

  test('is gone at once when it is taken, also while names are still being looked up', async () => {
    const access = make();
    await access.use([{ who: 'kim', role: 'operator' }]);
    const later = access.use([{ who: 'group:oncall', role: 'viewer' }]);
    expect(access.roleOf(peer('uid:1000'))).toBeNull();
    await access.use([]);
    await later;
    expect(access.roleOf(peer('uid:2', 'gid:60'))).toBeNull();
  });

  test('is nobody’s when the name is not known, and that is said once', async () => {
    const said: string[] = [];
    const access = make(said);
    await access.use([{ who: 'nobody-here', role: 'owner' }]);
    await access.use([]);
    await access.use([{ who: 'nobody-here', role: 'owner' }]);
    expect(said).toEqual(['W331 Nobody is called "nobody-here" on this machine: the role owner is given to no one.']);
    expect(access.ids).toEqual([]);
  });
});

describe('the record of a command', () => {
  const record = () => {
    const entries: JournalEntry[] = [];
    const lines: string[] = [];
    let now = 1_000;
    const audit = auditor({ journal: { append: (e) => entries.push(e) }, log: (l) => lines.push(l), now: () => now });
    return { audit, entries, lines, later: (ms: number) => (now += ms) };
  };
  const caller = { user: 'kim', via: 'cli', role: 'owner', from: 'PID 7, uid:1000' } as const;

  test.each([
    'scripts.start',
    'scripts.complete',
    'settings.set',
    'host.retire',
    'drill.start',
    'console.open',
  ] as const)('%s stands in the journal with who, from where and through which door', (method) => {
    const { audit, entries, lines } = record();
    audit({ method, input: { ticket: 't-1' }, caller, error: null });
    expect(entries).toMatchObject([{ who: 'kim', via: 'cli', data: { from: 'PID 7, uid:1000', role: 'owner' } }]);
    expect(lines[0]).toContain('by kim (cli, PID 7, uid:1000): done.');
  });

  test('every other command stands in the host’s log too', () => {
    const { audit, entries, lines } = record();
    audit({ method: 'scripts.kill', input: { ticket: 't-1' }, caller, error: null });
    expect(lines).toEqual(['I330 scripts.kill of t-1 by kim (cli, PID 7, uid:1000): done.']);
    expect(entries).toEqual([]); // its own line, with the evidence, is written where it is carried out
  });

  test('who may not is recorded, however what was sent is nested', () => {
    const { audit, entries } = record();
    const input = JSON.parse(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`) as unknown;
    audit({ method: 'settings.set', input, caller, error: new UnjamError('forbidden', 'no', 'no') });
    expect(entries).toMatchObject([{ kind: 'refused', who: 'kim' }]);
    expect(entries[0]?.text).toMatch(/^Change of the settings by kim .*: refused, forbidden\. What was sent is nested/);
  });

  test('who may not is recorded, and cannot fill the journal', () => {
    const { audit, entries, later } = record();
    const error = new UnjamError('forbidden', 'no', 'no');
    const call = { method: 'scripts.kill', input: { ticket: 't\n[31m' }, caller, error } as const;
    for (let i = 0; i < 100; i += 1) audit(call);
    later(60_000);
    audit(call);
    expect(entries.map(({ kind, code, ticket }) => [kind, code, ticket])).toEqual([
      ['refused', 'W330', null],
      ['refused', 'W330', null],
    ]);
  });
});
