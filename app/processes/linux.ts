/** Linux process control on /proc, sessions, cgroups and signals; no native code. */
import { uptime, userInfo } from 'node:os';
import { type Liveness, type ProcessIdentity, sameMachine, sameProcess, samePlace } from '../domain/identity.ts';
import type { CancelSignal, TreeScope } from '../domain/script.ts';
import type { EndOutcome, ProcessControl, SignalOutcome, TreeMember } from './control.ts';
import { CgroupAccounts, enterCgroup, leaveCgroup, sweepCgroups } from './linux/cgroup.ts';
import { examine } from './linux/examine.ts';
import { isGate, launch, launchAttached, rehearse } from './linux/launch.ts';
import * as proc from './linux/proc.ts';
import { GroupProof, MarkCache, treeOf } from './linux/tree.ts';

const signalNames: Record<CancelSignal, NodeJS.Signals> = {
  'ctrl-c': 'SIGINT',
  'ctrl-break': 'SIGQUIT',
  SIGINT: 'SIGINT',
  SIGTERM: 'SIGTERM',
  SIGQUIT: 'SIGQUIT',
  SIGHUP: 'SIGHUP',
  SIGKILL: 'SIGKILL',
};

export function openLinux(): ProcessControl {
  const place = proc.readPlace();
  const marks = new MarkCache();
  const groups = new GroupProof();
  const accounts = new CgroupAccounts(place);
  /** When an identity was last read and found alive. */
  const seenAlive = new WeakMap<ProcessIdentity, number>();
  let entering: Promise<void> | null = null;
  let cgroup: string | null = null;
  const self = proc.identityOf(place, process.pid);
  if (!self) throw new Error('/proc does not show this process: Unjam needs a mounted /proc (proc(5)).');

  function liveness(identity: ProcessIdentity, trustedForMs = 0): Liveness {
    if (trustedForMs > 0) {
      // Asking whether there is a process of that pid costs a thirtieth of reading what it is.
      const at = seenAlive.get(identity);
      if (at !== undefined && performance.now() - at < trustedForMs && exists(identity.pid)) return 'alive';
      const answer = liveness(identity);
      if (answer === 'alive') seenAlive.set(identity, performance.now());
      return answer;
    }
    if (!samePlace(identity, place)) {
      // Another boot of this machine: everything of the earlier boot is gone.
      return sameMachine(identity, place) && identity.bootId !== place.bootId ? 'dead' : 'unknown';
    }
    const found = proc.readStat(place, identity.pid);
    return found && found.state !== 'zombie' && sameProcess(found.identity, identity) ? 'alive' : 'dead';
  }

  function tree(scope: TreeScope, table = proc.readTable(place)): TreeMember[] {
    if (!samePlace(scope.root, place)) return [];
    // As `startedAt` of the processes: counted from boot, so that a clock that is set makes nobody look old.
    const now = place.bootedAt + uptime() * 1_000;
    marks.prune(table);
    return treeOf(scope, table, (p) => marks.read(p, now), groups);
  }

  function end(identity: ProcessIdentity): EndOutcome {
    if (!samePlace(identity, place) || identity.pid <= 1 || identity.pid === process.pid) return { kind: 'not-same' };
    const found = proc.readStat(place, identity.pid);
    if (!found || found.state === 'zombie') return { kind: 'gone' };
    if (!sameProcess(found.identity, identity)) return { kind: 'not-same' };
    return toEnd(send(identity.pid, 'SIGKILL'));
  }

  return {
    platform: 'linux',
    self,
    user: userInfo().username,
    elevated: process.getuid?.() === 0,
    defaultSignal: 'SIGTERM',
    identify: (pid) => proc.identityOf(place, pid),
    liveness,
    prepareRunner() {
      // A runner outlives terminals and readers: neither may end it.
      process.on('SIGHUP', () => undefined);
      process.on('SIGINT', () => undefined);
      process.on('SIGTERM', () => undefined);
      process.on('SIGPIPE', () => undefined);
      entering = enterCgroup(self).then((name) => void (cgroup = name));
    },
    async launch(request) {
      await entering;
      const launched = await launch(place, request, () => groups.note(request.runId));
      return cgroup === null ? launched : { ...launched, scope: { ...launched.scope, cgroup } };
    },
    launchAttached: (request) => launchAttached(place, request),
    rehearse,
    now: () => performance.now(), // CLOCK_MONOTONIC, which stands still during sleep (clock_gettime(2))
    snapshot: () => proc.readTable(place),
    tree,
    treeLiveness(scope) {
      if (!samePlace(scope.root, place)) return liveness(scope.root);
      if (liveness(scope.root) === 'alive') return 'alive';
      return tree(scope).length > 0 ? 'alive' : 'dead';
    },
    usage: (scope) => (samePlace(scope.root, place) ? accounts.read(scope) : null),
    facts(identity) {
      if (liveness(identity) !== 'alive') return null;
      const status = proc.readStatus(identity.pid);
      return {
        commandLine: proc.readCommandLine(identity.pid) ?? identity.name,
        user: status ? proc.userName(status.uid) : null,
        ioBytes: proc.readIoBytes(identity.pid),
        waitsFor: proc.readWaitChannel(identity.pid),
      };
    },
    ioBytes: (identity) => proc.readIoBytes(identity.pid),
    examine: (identity) => (liveness(identity) === 'alive' ? examine(place, identity) : null),
    atGate: (identity) => isGate(proc.readCommandLine(identity.pid) ?? ''),
    async interrupt(scope, signal) {
      return interrupt(scope, tree(scope), signalNames[signal]);
    },
    endTree(scope) {
      const grouped = tree(scope).filter((m) => isGrouped(m, scope));
      return scope.group !== null && grouped.length > 0 && send(-scope.group, 'SIGKILL') === null;
    },
    end,
    whyAlive(identity, outcome) {
      const found = proc.readStat(place, identity.pid);
      const status = proc.readStatus(identity.pid);
      const waits = proc.readWaitChannel(identity.pid);
      const measured = [
        found ? `state ${found.state}` : 'state unknown',
        ...(waits ? [`waits in ${waits}`] : []),
        ...(status?.killPending ? ['SIGKILL pending'] : []),
      ].join(', ');
      if (outcome.kind === 'denied') {
        const owner = status ? proc.userName(status.uid) : 'another user';
        return { reason: 'access', detail: `it belongs to ${owner}, ${outcome.message}; ${measured}` };
      }
      if (status?.killPending)
        return { reason: found?.state === 'kernel' || waits ? 'kernel' : 'pending', detail: measured };
      if (found?.state === 'stopped') return { reason: 'stopped', detail: measured };
      return { reason: 'other', detail: measured };
    },
    sweep: sweepCgroups,
    close() {
      if (cgroup !== null) leaveCgroup(cgroup);
    },
  };
}

/** A member that a signal to the group reaches, of a group that is known to be the script's own. */
const isGrouped = (m: TreeMember, scope: TreeScope): boolean =>
  (m.by === 'root' || m.by === 'group') && m.group === scope.group;

/** True for a zombie and a stranger too. */
const exists = (pid: number): boolean => send(pid, 0)?.code !== 'ESRCH';

/** Null when sent, else the error. */
function send(pid: number, signal: NodeJS.Signals | 0): NodeJS.ErrnoException | null {
  try {
    process.kill(pid, signal);
    return null;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

function toEnd(error: NodeJS.ErrnoException | null): EndOutcome {
  if (error === null) return { kind: 'sent' };
  if (error.code === 'ESRCH') return { kind: 'gone' };
  const failure = { errorCode: error.code ?? 'unknown', message: error.message };
  return error.code === 'EPERM' ? { kind: 'denied', ...failure } : { kind: 'failed', ...failure };
}

/** The group gets one signal; members outside it get their own. SIGCONT follows: a stopped process acts on nothing else. */
function interrupt(scope: TreeScope, members: readonly TreeMember[], signal: NodeJS.Signals): SignalOutcome {
  if (members.length === 0) return { kind: 'gone' };
  const grouped = members.filter((m) => isGrouped(m, scope));
  const single = members.filter((m) => !isGrouped(m, scope));
  const targets = [
    ...(scope.group !== null && grouped.length > 0 ? [-scope.group] : []),
    ...single.map((m) => m.identity.pid),
  ];
  const errors = targets.map((pid) => send(pid, signal)).filter((e) => e !== null && e.code !== 'ESRCH');
  for (const pid of targets) send(pid, 'SIGCONT');
  const what = `${signal} to ${members.length === 1 ? '1 process' : `${members.length} processes`} of the process group ${scope.group}`;
  const failed = errors[0];
  if (failed && errors.length === targets.length)
    return { kind: 'undeliverable', what, errorCode: failed.code ?? 'unknown', message: failed.message };
  return { kind: 'sent', what };
}
