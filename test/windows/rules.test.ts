/** What is decided over plain data: tree, ladder, explanations, the process table's layout, text. No Wine needed. */
import { describe, expect, test } from 'vitest';
import type { ProcessSnapshot, TreeMember } from '../../app/processes/control.ts';
import type { ConsoleReport } from '../../app/processes/windows/console-signal.ts';
import { readAnswer, sendConsoleEvent } from '../../app/processes/windows/console-signal.ts';
import { explainSurvivor, type SurvivorFacts } from '../../app/processes/windows/ending.ts';
import { fileTimeToMs, msToFileTime } from '../../app/processes/windows/filetime.ts';
import { interrupt } from '../../app/processes/windows/interrupt.ts';
import { parseSystemProcesses, stateOf, waitsOf } from '../../app/processes/windows/process-table.ts';
import type { Peer } from '../../app/processes/peer.ts';
import { parseSecurity } from '../../app/processes/windows/file-security.ts';
import { folderAccess, pipeAccess } from '../../app/processes/windows/owner-only.ts';
import { PipeEnds } from '../../app/processes/windows/pipe-ends.ts';
import { isStoreAlias } from '../../app/processes/find-executable.ts';
import { launchProblem } from '../../app/processes/launch-problem.ts';
import { openWindows, warningsOf } from '../../app/processes/windows.ts';
import { fromFlags } from '../../app/processes/windows/own-jobs.ts';
import { wmiInput } from '../../app/processes/windows/start-through-wmi.ts';
import { CookieCache, treeOf } from '../../app/processes/windows/tree.ts';
import { afterOpenError, livenessFrom } from '../../app/processes/windows/identity.ts';
import { registryValue } from '../../app/processes/windows/registry.ts';
import { parseWaitChain } from '../../app/processes/windows/wait-chain.ts';
import { describeWaits } from '../../app/processes/windows/waits.ts';

const place = { machine: 'here', bootId: '1', pidNamespace: 'host' };

function seen(pid: number, parentPid: number, startTime: number, name = 'node.exe'): ProcessSnapshot {
  const identity = { ...place, pid, startTime: String(startTime), startedAt: startTime, name };
  return { identity, parentPid, group: null, session: null, cpuMs: null, childrenCpuMs: null, state: 'unknown' };
}

const scopeOf = (root: ProcessSnapshot) => ({ root: root.identity, runId: 'mine', group: null, job: 'x' });
const pids = (members: readonly TreeMember[]): string[] => members.map((m) => `${m.identity.pid} ${m.by}`);
const noCookie = (): undefined => undefined;

describe('access lists', () => {
  test('of the door name who has a role, and deny nobody: WinRM and SSH sessions are network logons', () => {
    expect(pipeAccess([])).toBe('D:P(A;;GA;;;OW)(A;;GA;;;SY)(A;;GA;;;BA)');
    expect(pipeAccess(['S-1-5-21-1-2-3-1001', 'uid:0', 'x)(A;;GA;;;WD'])).toBe(
      'D:P(A;;GA;;;OW)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GRGW;;;S-1-5-21-1-2-3-1001)',
    );
  });

  test('of the state directory name its owner, not whoever opens it', () => {
    expect(folderAccess('S-1-5-21-1-2-3-1001')).toBe(
      'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;S-1-5-21-1-2-3-1001)',
    );
    expect(folderAccess('S-1-5-32-544')).toBe('D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)');
  });

  test('are read back: owner, and whether something is inherited', () => {
    const sid = Buffer.from([1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]);
    const descriptor = Buffer.concat([Buffer.alloc(20), sid]);
    descriptor.writeUInt16LE(0x8004 | 0x1000, 2);
    descriptor.writeUInt32LE(20, 4);
    expect(parseSecurity(descriptor)).toEqual({ owner: 'S-1-5-32-544', isProtected: true, writers: ['S-1-1-0'] });
    expect(parseSecurity(Buffer.alloc(64))).toEqual({ owner: null, isProtected: false, writers: ['S-1-1-0'] });
  });

  test('do not let in a client of another machine: it has an id that nothing is granted to', () => {
    const self: Peer = { user: 'kim', ids: ['S-1-5-21-7'], pid: 7 };
    const ends = new PipeEnds(() => self);
    expect(ends.accept([{ handle: 4, pid: 7, computer: 'BUILD-9' }]).owner).toEqual({
      user: 'somebody on BUILD-9',
      ids: ['computer:BUILD-9'],
      pid: null,
    });
    expect(new PipeEnds(() => self).accept([{ handle: 4, pid: 7, computer: null }]).owner).toEqual(self);
  });
});

describe('life', () => {
  const entry = { pid: 100, created: 5n, name: 'node.exe' };
  const table = () => [entry];

  test('ends for one error alone: there is no such pid; any other asks the process table', () => {
    expect(afterOpenError(87, 100, table)).toBe('gone');
    for (const error of [5, 8, 31, 1450, 1455, 1816]) {
      expect(afterOpenError(error, 100, table)).toEqual(entry);
      expect(afterOpenError(error, 101, table)).toBe('gone');
      expect(afterOpenError(error, 100, () => null)).toBe('unknown');
    }
  });

  test('is unknown, and so no mutex is released, when neither the process nor the table can be read', () => {
    expect(livenessFrom('unknown', '5')).toBe('unknown');
    expect(livenessFrom('gone', '5')).toBe('dead');
    expect(livenessFrom(entry, '5')).toBe('alive');
    expect(livenessFrom(entry, '6')).toBe('dead');
    expect(livenessFrom({ ...entry, created: 0n }, '6')).toBe('unknown');
  });
});

describe('a start that Windows would make into another one is refused', () => {
  const problem = (file: string, cwd: string): string | undefined => launchProblem('win32', file, cwd)?.message;

  test('a batch file in a folder that cmd.exe cannot work in: it would run in the Windows folder', () => {
    for (const cwd of ['\\\\server\\share\\app', '//server/share', '\\\\?\\C:\\app', '\\\\.\\C:\\app'])
      for (const file of ['C:\\a\\deploy.cmd', 'C:\\a\\deploy.BAT. ', 'C:\\Windows\\System32\\cmd.exe'])
        expect(problem(file, cwd)).toContain('cannot work in');
    expect(problem('C:\\node.exe', '\\\\server\\share\\app')).toBeUndefined();
    expect(problem('C:\\a\\deploy.cmd', 'C:\\app')).toBeUndefined();
    expect(launchProblem('linux', '/a/deploy.cmd', '//server/share')).toBeNull();
  });

  test('a working folder that is too long for CreateProcess', () => {
    expect(problem('C:\\node.exe', `C:\\${'a'.repeat(255)}`)).toBeUndefined();
    expect(problem('C:\\node.exe', `C:\\${'a'.repeat(256)}`)).toContain('has 259 characters');
  });

  test('but not an alias of the Store, which only CreateProcess can follow', () => {
    const alias = () => ({ size: 0, isDirectory: () => false });
    for (const code of ['EACCES', 'EPERM', 'UNKNOWN']) expect(isStoreAlias(code, alias)).toBe(true);
    expect(isStoreAlias('ENOENT', alias)).toBe(false);
    expect(isStoreAlias('EACCES', () => ({ size: 17, isDirectory: () => false }))).toBe(false);
    expect(isStoreAlias('EACCES', () => ({ size: 0, isDirectory: () => true }))).toBe(false);
    expect(isStoreAlias('EACCES', () => JSON.parse('{') as never)).toBe(false);
  });
});

describe('a host says what keeps it from its job', () => {
  const well = { place: { ...place, machineId: 'id' }, job: null, elevated: true, debug: true, closedFolder: null };
  const texts = (circumstances: Parameters<typeof warningsOf>[0]): string[] =>
    warningsOf(circumstances).map((warning) => warning.text);

  test('a job that ends it with whoever started it', () => {
    expect(texts(well)).toEqual([]);
    expect(texts({ ...well, job: fromFlags(0x800) })).toEqual([]);
    expect(texts({ ...well, job: fromFlags(0x2000) })[0]).toContain('all their scripts would end');
    expect(fromFlags(0x2000 | 0x1000)).toEqual({ killOnClose: true, mayLeave: true });
  });

  test('an administrator without "Debug programs"; of an ordinary user nobody expects it', () => {
    expect(texts({ ...well, debug: false })[0]).toContain('SeDebugPrivilege');
    expect(texts({ ...well, elevated: false, debug: false })).toEqual([]);
  });

  test('that it does not see what SYSTEM and elevated administrators have started', () => {
    const [text] = texts({ ...well, elevated: false, closedFolder: 'C:\\ProgramData\\Unjam' });
    expect(text).toContain('are not shown here: their host has "C:\\ProgramData\\Unjam"');
  });

  test('a Node for ARM is refused in a sentence: Windows emulates the one for x64', () => {
    const own = Object.getOwnPropertyDescriptor(process, 'arch')!;
    Object.defineProperty(process, 'arch', { ...own, value: 'arm64' });
    try {
      expect(() => openWindows()).toThrow('This Node is for arm64. Unjam for Windows needs the one for x64');
    } finally {
      Object.defineProperty(process, 'arch', own);
    }
  });

  test('a machine that is known by its name alone', () => {
    expect(texts({ ...well, place })[0]).toContain('MachineGuid');
  });

  test('and is started by WMI with its log behind it, without a value in the text of a program', () => {
    const start = {
      file: 'C:\\Program Files\\n.exe',
      args: ['C:\\cli.js', 'serve'],
      cwd: 'C:\\u',
      environment: { A: '1', B: 'x=y' },
      log: 'C:\\u\\host.log',
    };
    expect(JSON.parse(wmiInput(start, 'C:\\Windows'))).toEqual({
      commandLine:
        'C:\\Windows\\System32\\cmd.exe /d /s /c ""C:\\Program Files\\n.exe" "C:\\cli.js" "serve" >>"C:\\u\\host.log" 2>&1"',
      folder: 'C:\\u',
      environment: ['A=1', 'B=x=y'],
    });
    expect(() => wmiInput({ ...start, file: 'C:\\%A%\\n.exe' }, 'C:\\Windows')).toThrow('cannot be given to cmd.exe');
  });
});

describe('what Windows tells', () => {
  test('in the registry: texts with every letter, numbers, lists; the rest as bytes', () => {
    expect(registryValue(1, Buffer.from('grün €\0', 'utf16le'))).toBe('grün €');
    expect(registryValue(4, Buffer.from([0xff, 0xff, 0xff, 0xff]))).toBe(4_294_967_295);
    expect(registryValue(11, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]))).toBe(1n);
    expect(registryValue(7, Buffer.from('a\0b c\0\0', 'utf16le'))).toEqual(['a', 'b c']);
    expect(registryValue(3, Buffer.from([1, 2]))).toEqual(Buffer.from([1, 2]));
  });
});

describe('the tree', () => {
  const root = seen(100, 50, 1_000);

  test('is what the job holds, without the console host, and what was started from there outside of it', () => {
    const table = [
      seen(50, 1, 10),
      root,
      seen(101, 100, 1_100),
      seen(102, 100, 1_050, 'conhost.exe'),
      seen(103, 101, 1_200),
      seen(999, 50, 1_300),
    ];
    expect(pids(treeOf(scopeOf(root), table, new Set([100, 101, 102]), noCookie))).toEqual([
      '100 root',
      '101 job',
      '103 ancestry',
    ]);
  });

  test('keeps members whose parents are gone', () => {
    const table = [seen(104, 77, 1_400)];
    expect(pids(treeOf(scopeOf(root), table, new Set([104]), noCookie))).toEqual(['104 job']);
  });

  test('does not take a process for a child that is older than its parent', () => {
    const table = [root, seen(60, 100, 500), seen(61, 60, 600)];
    expect(pids(treeOf(scopeOf(root), table, null, noCookie))).toEqual(['100 root']);
  });

  test('leaves the children of the pid’s next owner alone', () => {
    const table = [seen(100, 9, 5_000), seen(110, 100, 2_000), seen(111, 100, 6_000)];
    expect(pids(treeOf(scopeOf(root), table, null, noCookie))).toEqual(['110 ancestry']);
  });

  test('finds orphans by the cookie when the job is gone', () => {
    const table = [seen(120, 77, 2_000), seen(121, 120, 2_100), seen(122, 77, 2_200)];
    const cookies = new Map([
      [120, 'mine'],
      [122, 'other'],
    ]);
    expect(pids(treeOf(scopeOf(root), table, null, (p) => cookies.get(p.identity.pid)))).toEqual([
      '120 cookie',
      '121 ancestry',
    ]);
  });

  test('ends where another run or a host begins', () => {
    const table = [root, seen(130, 100, 2_000), seen(131, 130, 2_100)];
    const cookies = new Map([[130, 'none']]);
    expect(pids(treeOf(scopeOf(root), table, new Set([100]), (p) => cookies.get(p.identity.pid)))).toEqual([
      '100 root',
    ]);
  });

  test('keeps every member of the job, and every bearer of the cookie, when the clock was set back below the root', () => {
    const table = [root, seen(140, 100, 400), seen(141, 140, 410), seen(142, 77, 300)];
    const cookie = (p: ProcessSnapshot): string | undefined => (p.identity.pid === 142 ? 'mine' : undefined);
    expect(pids(treeOf(scopeOf(root), table, new Set([100, 140, 141]), cookie))).toEqual([
      '100 root',
      '142 cookie',
      '140 job',
      '141 job',
    ]);
    expect(pids(treeOf(scopeOf(root), table.slice(1), new Set([140, 141]), noCookie))).toEqual(['140 job', '141 job']);
  });

  test('is the same whatever the clock said when its processes began: job and cookie alone decide', () => {
    const ids = [140, 141, 142] as const;
    const cookie = (p: ProcessSnapshot): string | undefined => (p.identity.pid === 142 ? 'mine' : undefined);
    const starts = [1, 400, 1_000, 9_000_000];
    for (const a of starts)
      for (const b of starts)
        for (const c of starts) {
          const table = [root, ...ids.map((pid, i) => seen(pid, i === 1 ? 140 : 77, [a, b, c][i]!))];
          const members = pids(treeOf(scopeOf(root), table, new Set([100, 140, 141]), cookie));
          expect(members.toSorted()).toEqual(['100 root', '140 job', '141 job', '142 cookie']);
        }
  });

  test('reads a cookie again until its process has been seen for two seconds, whatever the clock of the machine says', () => {
    const old = seen(150, 77, 5);
    let cookie: string | undefined;
    let reads = 0;
    const cache = new CookieCache(() => {
      reads += 1;
      return cookie;
    });
    expect(cache.read(old, 10_000)).toBeUndefined();
    cookie = 'C:/runs/mine';
    expect(cache.read(old, 11_000)).toBe('mine');
    expect(cache.read(old, 12_000)).toBe('mine');
    expect(reads).toBe(2);
    cookie = undefined;
    const other = seen(151, 77, 5);
    for (const now of [20_000, 21_000, 22_001, 23_000]) expect(cache.read(other, now)).toBeUndefined();
    expect(reads).toBe(5);
  });

  test('never holds Idle and System', () => {
    const zero = seen(0, 0, 0);
    expect(treeOf(scopeOf(zero), [zero, seen(4, 0, 1)], new Set([0, 4]), noCookie)).toEqual([]);
  });
});

describe('an interrupt', () => {
  const member = (pid: number, name = 'node.exe'): TreeMember => ({ ...seen(pid, 1, 1, name), by: 'root' });
  const sent = (...of: number[]): ConsoleReport => ({ sent: of, failures: [] });
  const refused = (pid: number, error: number): ConsoleReport => ({
    sent: [],
    failures: [{ pid, error, message: 'it has no console' }],
  });
  const means = (over: Partial<Parameters<typeof interrupt>[0]>) => ({
    tree: () => [member(412)],
    send: () => Promise.resolve(sent(412)),
    wake: () => 0,
    closeWindows: () => 0,
    endTree: () => true,
    ...over,
  });

  test('says what was sent to whom', async () => {
    expect(await interrupt(means({}), 'ctrl-c')).toEqual({ kind: 'sent', what: 'Ctrl-C to the console of PID 412' });
    expect(await interrupt(means({ send: async () => sent(412, 500) }), 'SIGTERM')).toEqual({
      kind: 'sent',
      what: 'Ctrl-Break to the consoles of PIDs 412, 500',
    });
  });

  test('answers the prompt of a batch file with a second Ctrl-C', async () => {
    expect(await interrupt(means({ tree: () => [member(412, 'cmd.exe')] }), 'ctrl-c')).toEqual({
      kind: 'sent',
      what: 'Ctrl-C to the console of PID 412, then Ctrl-C again to the console of PID 412',
    });
  });

  test('never sends a second Ctrl-C to a program that is cleaning up', async () => {
    let count = 0;
    await interrupt(
      means({
        tree: () => [member(411, 'cmd.exe'), member(412, 'terraform.exe')],
        send: async () => (count++, sent(412)),
      }),
      'ctrl-c',
    );
    expect(count).toBe(1);
  });

  test('falls back from Ctrl-Break to Ctrl-C', async () => {
    const outcome = await interrupt(
      means({ send: async (_pids, event) => (event === 'Ctrl-C' ? sent(412) : refused(412, 6)) }),
      'ctrl-break',
    );
    expect(outcome).toEqual({ kind: 'sent', what: 'Ctrl-C to the console of PID 412' });
  });

  test('closes windows as well, and that is enough where there is no console', async () => {
    expect(await interrupt(means({ send: async () => refused(412, 6), closeWindows: () => 2 }), 'ctrl-c')).toEqual({
      kind: 'sent',
      what: 'WM_CLOSE to 2 windows',
    });
  });

  test('that reaches nothing says why', async () => {
    expect(await interrupt(means({ send: async () => refused(412, 6) }), 'ctrl-c')).toEqual({
      kind: 'undeliverable',
      what: 'Ctrl-C to the console of PID 412',
      errorCode: 6,
      message: 'it has no console',
    });
  });

  test('wakes suspended processes first, and does not count that alone as sent', async () => {
    expect(await interrupt(means({ wake: () => 2 }), 'ctrl-c')).toEqual({
      kind: 'sent',
      what: 'Resume to 2 suspended processes, then Ctrl-C to the console of PID 412',
    });
    expect(await interrupt(means({ wake: () => 1, send: async () => refused(412, 6) }), 'ctrl-c')).toMatchObject({
      kind: 'undeliverable',
    });
  });

  test('finds an empty tree gone', async () => {
    expect(await interrupt(means({ tree: () => [] }), 'ctrl-c')).toEqual({ kind: 'gone' });
  });

  test('with SIGKILL ends the job', async () => {
    expect(await interrupt(means({}), 'SIGKILL')).toMatchObject({
      kind: 'sent',
      what: 'termination of the job of PID 412',
    });
    expect(await interrupt(means({ endTree: () => false }), 'SIGKILL')).toMatchObject({ kind: 'undeliverable' });
  });
});

describe('the answer of the console helper', () => {
  const lines = (...all: object[]): string => all.map((l) => `${JSON.stringify(l)}\n`).join('');

  test('counts the console that took the event, and those it serves', () => {
    const said = lines(
      { step: 'attach', pid: 1, error: 6 },
      { step: 'sending', pid: 2, covers: [2, 3, 9] },
      { step: 'sent', pid: 2 },
    );
    expect(readAnswer([1, 2, 3], said, 0)).toMatchObject({
      sent: 2,
      failures: [{ pid: 1, error: 6, message: 'it has no console' }],
    });
    expect([...readAnswer([1, 2, 3], said, 0).handled]).toEqual([1, 2, 3, 9]);
  });

  test('counts a helper that its own Ctrl-Break ended as sent', () => {
    expect(readAnswer([2], lines({ step: 'sending', pid: 2, covers: [2] }), 0xc000013a).sent).toBe(2);
  });

  test('takes a console that hangs for a failure', () => {
    expect(readAnswer([2], lines({ step: 'sending', pid: 2, covers: [2] }), null)).toMatchObject({
      sent: null,
      failures: [{ error: 'ETIMEDOUT' }],
    });
    expect(readAnswer([2], '', 1)).toMatchObject({ sent: null, failures: [{ error: 'UNKNOWN' }] });
  });
});

describe('without a Node for the helper', () => {
  test('no console is reached, and the outcome says why', async () => {
    expect(await sendConsoleEvent(null, [412], 'Ctrl-C')).toEqual({
      sent: [],
      failures: [{ pid: 412, error: 'ENOENT', message: 'there is no Node that could reach its console' }],
    });
    const nowhere = { node: '/nonexistent/node', koffiBeside: '/nonexistent/runner.cjs' };
    expect((await sendConsoleEvent(nowhere, [412], 'Ctrl-C')).failures[0]?.message).toContain('no koffi');
    const noNode = { node: '/nonexistent/node', koffiBeside: import.meta.filename };
    expect((await sendConsoleEvent(noNode, [412], 'Ctrl-C')).failures[0]?.message).toContain('did not start');
  });
});

describe('a survivor', () => {
  const facts: SurvivorFacts = {
    outcome: { kind: 'denied', errorCode: 5, message: 'access is denied (Windows error 5)' },
    owner: { user: 'CONTOSO\\kim', elevated: false, integrity: 0x2000 },
    session: 1,
    isProtected: false,
    isDeleting: false,
    waitsFor: null,
    own: { user: 'CONTOSO\\kim', session: 1, integrity: 0x2000 },
  };

  test('of another user or session is named with both', () => {
    const other = explainSurvivor({
      ...facts,
      owner: { user: 'NT AUTHORITY\\SYSTEM', elevated: true, integrity: 0x4000 },
      session: 0,
    });
    expect(other).toEqual({
      reason: 'access',
      detail:
        'it belongs to NT AUTHORITY\\SYSTEM in session 0, administrator rights are needed; access is denied (Windows error 5)',
    });
  });

  test('that is elevated, protected or closed by its access list is told apart', () => {
    expect(explainSurvivor({ ...facts, owner: { ...facts.owner, integrity: 0x3000 } }).detail).toContain(
      'runs as administrator',
    );
    expect(explainSurvivor({ ...facts, isProtected: true }).reason).toBe('protected');
    expect(explainSurvivor(facts)).toMatchObject({
      reason: 'access',
      detail: expect.stringContaining('access list') as string,
    });
  });

  // Neither Windows nor Wine lets a test make a process that survives an accepted termination without a driver.
  test('of an accepted termination waits in the kernel', () => {
    expect(explainSurvivor({ ...facts, outcome: { kind: 'sent' }, waitsFor: 'Executive' })).toEqual({
      reason: 'kernel',
      detail:
        'it was terminated, but Windows cannot finish it, usually because of a driver, the antivirus or a debugger; measured: Executive',
    });
  });

  test('that Windows is ending already is pending', () => {
    const failed = { kind: 'failed', errorCode: 5, message: 'access is denied' } as const;
    expect(explainSurvivor({ ...facts, outcome: failed, isDeleting: true }).reason).toBe('pending');
    expect(explainSurvivor({ ...facts, outcome: failed }).reason).toBe('other');
  });
});

describe('the process table', () => {
  /** SYSTEM_PROCESS_INFORMATION as Windows lays it out: what Wine leaves at zero is filled in here. */
  function record(
    next: number,
    name: string,
    pid: number,
    threads: readonly (readonly [number, number])[],
    base: bigint,
    at: number,
  ): Buffer {
    const text = Buffer.from(name, 'utf16le');
    const buffer = Buffer.alloc(256 + 80 * threads.length + text.length);
    buffer.writeUInt32LE(next === 0 ? 0 : buffer.length, 0);
    buffer.writeUInt32LE(threads.length, 4);
    buffer.writeBigUInt64LE(msToFileTime(1_700_000_000_123), 32);
    buffer.writeBigUInt64LE(20_000n, 40);
    buffer.writeBigUInt64LE(30_000n, 48);
    buffer.writeUInt16LE(text.length, 56);
    buffer.writeBigUInt64LE(text.length === 0 ? 0n : base + BigInt(at + buffer.length - text.length), 64);
    buffer.writeBigUInt64LE(BigInt(pid), 80);
    buffer.writeBigUInt64LE(BigInt(pid - 4), 88);
    buffer.writeUInt32LE(2, 100);
    buffer.writeBigUInt64LE(1_000n, 232);
    buffer.writeBigUInt64LE(500n, 240);
    threads.forEach(([state, reason], i) => {
      buffer.writeBigUInt64LE(BigInt(900 + i), 256 + 80 * i + 48);
      buffer.writeUInt32LE(state, 256 + 80 * i + 68);
      buffer.writeUInt32LE(reason, 256 + 80 * i + 72);
    });
    text.copy(buffer, buffer.length - text.length);
    return buffer;
  }

  test('is read from one buffer: names, parents, times, sessions, I/O and what threads wait for', () => {
    const base = 0x1000n;
    const first = record(
      1,
      'robocopy.exe',
      44,
      [
        [5, 0],
        [5, 15],
      ],
      base,
      0,
    );
    const second = record(0, '', 8, [], base, first.length);
    const [robocopy, nameless] = parseSystemProcesses(Buffer.concat([first, second]), base);
    expect(robocopy).toEqual({
      pid: 44,
      parentPid: 40,
      name: 'robocopy.exe',
      created: msToFileTime(1_700_000_000_123),
      cpuMs: 5,
      session: 2,
      ioBytes: 1_500,
      threads: [
        { id: 900, state: 5, waitReason: 0 },
        { id: 901, state: 5, waitReason: 15 },
      ],
    });
    expect(nameless).toMatchObject({ pid: 8, name: 'System Idle Process', threads: [] });
    expect(fileTimeToMs(robocopy!.created)).toBe(1_700_000_000_123);
  });

  test('tells states by the threads, and nothing where nothing was measured', () => {
    const waits = (...reasons: number[]) => reasons.map((waitReason) => ({ state: 5, waitReason }));
    expect(stateOf(waits(6, 4, 15))).toBe('sleeping');
    expect(stateOf(waits(0, 15))).toBe('kernel');
    expect(stateOf(waits(5, 5))).toBe('stopped');
    expect(stateOf([...waits(6), { state: 2, waitReason: 0 }])).toBe('running');
    expect(stateOf([{ state: 0, waitReason: 0 }])).toBe('unknown');
    expect(stateOf([])).toBe('unknown');
    expect(waitsOf(waits(6, 6, 4, 15))).toBe('UserRequest ×2, DelayExecution');
    expect(waitsOf([{ state: 0, waitReason: 0 }])).toBeNull();
  });
});

describe('what a process waits for', () => {
  const window = { handle: 1, pid: 7, title: 'Setup', className: '#32770', hung: false };
  const nothing = { suspended: false, windows: [], chain: [], threads: null };

  test('is said in the words of what was measured', () => {
    expect(describeWaits(nothing)).toBeNull();
    expect(describeWaits({ ...nothing, windows: [window], threads: 'UserRequest ×2' })).toBe(
      'a dialog "Setup" waits for an answer; UserRequest ×2',
    );
    expect(describeWaits({ ...nothing, windows: [{ ...window, hung: true }] })).toBe(
      'its window "Setup" does not answer',
    );
    expect(
      describeWaits({
        ...nothing,
        suspended: true,
        chain: [
          { pid: 9, deadlock: true },
          { pid: 8, deadlock: false },
        ],
      }),
    ).toBe('suspended: no thread may run; a deadlock with PID 9; PID 8');
  });

  // Wine has no wait chains: the layout is the one of wct.h.
  test('comes from the end of a wait chain', () => {
    const nodes = Buffer.alloc(16 * 280);
    const put = (i: number, type: number, pid: number): void => {
      nodes.writeUInt32LE(type, 280 * i);
      nodes.writeUInt32LE(pid, 280 * i + 8);
    };
    put(0, 8, 7);
    put(1, 2, 0);
    put(2, 8, 99);
    expect(parseWaitChain(7, nodes, 3, false)).toEqual([{ pid: 99, deadlock: false }]);
    expect(parseWaitChain(7, nodes, 1, false)).toEqual([]);
    put(2, 8, 7);
    expect(parseWaitChain(7, nodes, 3, false)).toEqual([]);
    expect(parseWaitChain(7, nodes, 3, true)).toEqual([{ pid: 7, deadlock: true }]);
  });
});
