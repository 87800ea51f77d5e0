/** Whom Unjam may signal: processes that have ended, reused pids, processes of other users. Real processes, Linux. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import { openProcessControl } from '../../app/processes/index.ts';
import { readRunCookie } from '../../app/processes/linux/proc.ts';
import { root } from '../support/world.ts';

const lastPid = '/proc/sys/kernel/ns_last_pid';
const onLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;
const children: ChildProcess[] = [];

function begin(command: string, ...args: string[]): ChildProcess {
  // A session and group of its own, as a script's root has.
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  children.push(child);
  return child;
}

const gone = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', resolve));

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await gone(child);
  }
});

test.runIf(onLinux)('a process that nobody can look at, because no file can be opened, is not taken for gone', () => {
  const { pid } = begin('sleep', '3600');
  const driver = join(root, 'test/processes/drivers/without-descriptors.ts');
  const said = execFileSync('bash', [
    '-c',
    'ulimit -n 128; exec "$0" "$1" "$2"',
    process.execPath,
    driver,
    String(pid),
  ]);
  expect(JSON.parse(said.toString())).toEqual({ opened: true, itself: 'unknown', tree: 'unknown', later: 'alive' });
});

test.runIf(onLinux)(
  'a process that sleeps costs a table nothing new, and one that has changed is read anew',
  async () => {
    const control = await openProcessControl();
    const child = begin('sleep', '3600');
    const row = () => control.snapshot().find((p) => p.identity.pid === child.pid);
    const isAsleep = (): boolean => row()?.identity.name === 'sleep' && row() === row();
    while (!isAsleep()) await delay(20);
    const asleep = row();
    expect(asleep?.state).toBe('sleeping');
    child.kill('SIGSTOP');
    while (row()?.state !== 'stopped') await delay(20);
    expect(asleep?.state).toBe('sleeping');
  },
);

describe.runIf(onLinux)('a process that has ended but was not collected by its parent', () => {
  test('counts as gone: it has no identity, is in no tree, and is not signalled', async () => {
    const control = await openProcessControl();
    // The child ends only when the shell has become sleep(1), which never collects it.
    const parent = begin('bash', '-c', '(until grep -q sleep /proc/$$/comm; do :; done) & echo $!; exec sleep 3600');
    const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout?.once('data', resolve)));
    let seen = control.snapshot().find((p) => p.identity.pid === pid);
    while (seen?.state !== 'zombie') seen = control.snapshot().find((p) => p.identity.pid === pid);
    expect(control.identify(pid)).toBeNull();
    expect(control.liveness(seen.identity)).toBe('dead');
    expect(control.end(seen.identity)).toEqual({ kind: 'gone' });
    // Its empty environment is not waited for.
    expect(readRunCookie(pid)).toEqual({ cookie: null, isBeginning: false });
    const identity = control.identify(parent.pid ?? 0) as ProcessIdentity;
    const members = control.tree({ root: identity, runId: 'none-of-them', group: null, job: null });
    expect(members.map((m) => m.identity.pid)).toEqual([parent.pid]);
  });
});

describe.runIf(onLinux && isRoot && existsSync(lastPid))('a pid that was handed out again', () => {
  test('is another process: it is not signalled, not in the tree, and the old one counts as gone', async () => {
    const control = await openProcessControl();
    const first = begin('sleep', '3600');
    const old = control.identify(first.pid ?? 0) as ProcessIdentity;
    first.kill('SIGKILL');
    await gone(first);
    const foreign = await withPid(old.pid, (pid) => control.identify(pid)?.startTime !== old.startTime);
    const now = control.identify(old.pid) as ProcessIdentity;
    expect(now.startTime).not.toBe(old.startTime);

    const scope = { root: old, runId: 'run-of-the-old-one', group: old.pid, job: null };
    expect(control.liveness(old)).toBe('dead');
    expect(control.end(old)).toEqual({ kind: 'not-same' });
    expect(control.tree(scope).filter((m) => m.by === 'root')).toEqual([]);
    expect(control.treeLiveness(scope)).toBe('dead');
    expect(await control.interrupt(scope, 'SIGTERM')).toEqual({ kind: 'gone' });
    expect(control.endTree(scope)).toBe(false);
    expect(control.liveness(now)).toBe('alive');
    expect(foreign.exitCode ?? foreign.signalCode).toBeNull();
  });
});

test.runIf(onLinux)(
  'one table of processes serves all who trust it, and whoever has ended since is gone for them',
  async () => {
    const control = await openProcessControl();
    const child = begin('sleep', '3600');
    const table = control.snapshot();
    expect(control.snapshot(60_000)).toBe(table);
    const { identity } = table.find((p) => p.identity.pid === child.pid)!;
    expect(control.liveness(identity, 60_000)).toBe('alive');
    child.kill('SIGKILL');
    await gone(child);
    expect(control.snapshot(60_000)).toBe(table);
    expect(control.liveness(identity, 60_000)).toBe('dead');
    expect(control.snapshot()).not.toBe(table);
  },
);

describe.runIf(onLinux)('a group without its root', () => {
  test('is the script’s own while one of it carries the cookie, and nobody’s when none does', async () => {
    const control = await openProcessControl();
    const runId = `mine-${process.pid}`;
    const start = (cookie: string): ChildProcess =>
      begin('bash', '-c', `UNJAM_RUN=${cookie} sleep 3600 & env -i sleep 3600 & echo up; exec sleep 3600`);
    for (const [cookie, expected] of [
      [`outer/${runId}`, 2],
      ['another', 0],
    ] as const) {
      const leader = start(cookie);
      await new Promise((resolve) => leader.stdout?.once('data', resolve));
      const pid = leader.pid ?? 0;
      const asleep = () => control.snapshot().filter((p) => p.group === pid && p.identity.name === 'sleep');
      while (asleep().length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      const scope = { root: control.identify(pid) as ProcessIdentity, runId, group: pid, job: null };
      const all = control.tree(scope).map((m) => m.identity);
      leader.kill('SIGKILL');
      await gone(leader);
      // Another host, which has not seen the root alive.
      const found = (await openProcessControl()).tree(scope);
      for (const member of all) control.end(member);
      expect(found).toHaveLength(expected);
    }
  });
});

test.runIf(onLinux)('who has no environment for good is not waited for', async () => {
  const bare = begin('env', '-i', 'sh', '-c', 'echo up; exec sleep 3600');
  await new Promise((resolve) => bare.stdout?.once('data', resolve));
  const seen = () => readRunCookie(bare.pid ?? 0);
  while (seen().isBeginning) await delay(5);
  expect(seen()).toEqual({ cookie: null, isBeginning: false });
  // A kernel thread; in a container somebody else, or nobody.
  expect(readRunCookie(2)).toMatchObject({ isBeginning: false });
});

test.runIf(onLinux)('a process that is changing its program is still its script’s', async () => {
  const runId = `changing-${process.pid}`;
  // It carries nothing but the cookie, and is mostly inside execve(2), where it shows no environment.
  const begun = begin(
    'env',
    `UNJAM_RUN=${runId}`,
    'sh',
    '-c',
    'echo up; exec "$0" -c "$1" "$0" "$1"',
    'sh',
    'exec "$0" -c "$1" "$0" "$1"',
  );
  await new Promise((resolve) => begun.stdout?.once('data', resolve));
  const root = { ...(await openProcessControl()).identify(process.pid)!, startTime: '1' };
  for (let look = 0; look < 50; look += 1) {
    // Another host each time, which has seen nothing before.
    const found = (await openProcessControl()).tree({ root, runId, group: null, job: null });
    expect(found.map((m) => m.identity.pid)).toEqual([begun.pid]);
  }
});

/** A new process that got `pid`, a clock tick (10 ms) later: tried until it succeeds, for others may take it first. */
async function withPid(pid: number, isOther: (pid: number) => boolean): Promise<ChildProcess> {
  for (;;) {
    writeFileSync(lastPid, String(pid - 1));
    const child = begin('sleep', '3600');
    if (child.pid === pid && isOther(pid)) return child;
    child.kill('SIGKILL');
    await gone(child);
  }
}

describe.runIf(onLinux && isRoot)('a process of another user', () => {
  test('is called unkillable for want of access, with its owner; it is not ended', async () => {
    const control = await openProcessControl();
    const rooted = begin('sleep', '3600');
    const identity = control.identify(rooted.pid ?? 0) as ProcessIdentity;
    // A host that runs as an ordinary user whose script has become root; only its view of the tree is made up.
    const said = execFileSync(
      process.execPath,
      [join(root, 'test/processes/drivers/end-as-nobody.ts'), JSON.stringify(identity)],
      { uid: 65534, gid: 65534, encoding: 'utf8', cwd: '/', env: { PATH: process.env['PATH'] ?? '' } },
    );
    const [interrupted, ended, why, ...rest] = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(interrupted).toMatchObject({ kind: 'undeliverable', errorCode: 'EPERM' });
    expect(ended).toMatchObject({ kind: 'denied', errorCode: 'EPERM' });
    expect(why).toMatchObject({ reason: 'access' });
    expect((why as { detail: string }).detail).toMatch(/belongs to root, .*EPERM/);
    expect(rest).toEqual([]);
    expect(control.liveness(identity)).toBe('alive');
  });
});
