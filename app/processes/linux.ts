/** Linux process control on /proc, sessions, cgroups and signals; no native code. */
import { uptime } from 'node:os';
import { type Liveness, type ProcessIdentity, sameProcess, samePlace } from '../domain/identity.ts';
import type { CancelSignal, TreeScope } from '../domain/script.ts';
import type { EndOutcome, ProcessControl, ProcessSnapshot, TreeMember } from './control.ts';
import { CgroupAccounts, enterCgroup, leaveCgroup, sweepCgroups } from './linux/cgroup.ts';
import { examine, mainThread } from './linux/examine.ts';
import { fileLocks, inspect } from './linux/inspect.ts';
import { isGate, launch, launchAttached } from './linux/launch.ts';
import { drained, Output, restartDrains } from './linux/output.ts';
import { nativeStack } from './linux/native-stack.ts';
import { Presence } from './linux/presence.ts';
import * as proc from './linux/proc.ts';
import { exists, interrupt, isConcealed, isGrouped, refusal, send, toEnd } from './linux/signals.ts';
import { hiddenWarnings, Kin, MarkCache, treeOf } from './linux/tree.ts';
import { userName } from './user-name.ts';

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
  const lines: proc.KnownLines = new Map();
  const kin = new Kin();
  const presence = new Presence(place);
  const accounts = new CgroupAccounts(place);
  /** When an identity was last read and found alive. */
  const seenAlive = new WeakMap<ProcessIdentity, number>();
  let last = {
    at: -Infinity,
    table: [] as ProcessSnapshot[],
    alive: null as ReadonlyMap<number, ProcessIdentity> | null,
  };
  let entering: Promise<void> | null = null;
  let cgroup: string | null = null;
  let prepared: Output | null = null;
  /** When the output of a script that this process has launched is over; by the pid of its drain. */
  const ends = new Map<number, Promise<void>>();
  const self = proc.identityOf(place, process.pid);
  if (!self) throw new Error('/proc does not show this process: Unjam needs a mounted /proc (proc(5)).');

  function liveness(identity: ProcessIdentity, trustedForMs = 0): Liveness {
    if (trustedForMs > 0) {
      // Asking whether there is a process of that pid costs a thirtieth of reading what it is.
      const at = seenAlive.get(identity);
      if (at !== undefined && performance.now() - at < trustedForMs && exists(identity.pid)) return 'alive';
      if (performance.now() - last.at < trustedForMs && wasSeen(identity) && exists(identity.pid)) {
        seenAlive.set(identity, last.at);
        return 'alive';
      }
      const answer = liveness(identity);
      if (answer === 'alive') seenAlive.set(identity, performance.now());
      return answer;
    }
    if (!samePlace(identity, place)) return presence.liveness(identity);
    const found = proc.readStat(place, identity.pid);
    if (found) return found.state !== 'zombie' && sameProcess(found.identity, identity) ? 'alive' : 'dead';
    // Somebody has that pid, and nothing says who: hidepid (proc(5)) hides it, or no descriptor is left to look with.
    return exists(identity.pid) ? 'unknown' : 'dead';
  }

  function snapshot(trustedForMs = 0): readonly ProcessSnapshot[] {
    if (performance.now() - last.at >= trustedForMs)
      last = { at: performance.now(), table: proc.readTable(place, lines), alive: null };
    return last.table;
  }

  /** In the last table. */
  function wasSeen(identity: ProcessIdentity): boolean {
    last.alive ??= new Map(last.table.filter((p) => p.state !== 'zombie').map((p) => [p.identity.pid, p.identity]));
    const found = last.alive.get(identity.pid);
    return found !== undefined && sameProcess(found, identity);
  }

  function tree(scope: TreeScope, table = proc.readTable(place, lines)): TreeMember[] {
    if (!samePlace(scope.root, place)) return [];
    // As `startedAt` of the processes: counted from boot, so that a clock that is set makes nobody look old.
    const now = place.bootedAt + uptime() * 1_000;
    marks.prune(table);
    return treeOf(scope, table, (p) => marks.read(p, now), kin);
  }

  /** Nobody of the tree is seen: asks the kernel whether its group is empty, which hidepid cannot hide. */
  function groupLiveness(scope: TreeScope, table: readonly ProcessSnapshot[]): Liveness {
    if (scope.group === null || !exists(-scope.group)) return 'dead';
    const grouped = table.filter((p) => p.group === scope.group || p.session === scope.group);
    if (grouped.some((p) => p.identity.pid === scope.group && !sameProcess(p.identity, scope.root))) return 'dead'; // its number was handed out again
    if (grouped.length > 0 && grouped.every((p) => p.state === 'zombie')) return 'dead';
    return 'unknown'; // hidden, or nothing says whose they are
  }

  function end(identity: ProcessIdentity): EndOutcome {
    if (!samePlace(identity, place) || identity.pid <= 1 || identity.pid === process.pid) return { kind: 'not-same' };
    const found = proc.readStat(place, identity.pid);
    if (!found) return isConcealed(identity.pid) ? toEnd(refusal(identity.pid)) : { kind: 'gone' };
    if (found.state === 'zombie') return { kind: 'gone' };
    if (!sameProcess(found.identity, identity)) return { kind: 'not-same' };
    return toEnd(send(identity.pid, 'SIGKILL'));
  }

  return {
    platform: 'linux',
    self,
    user: userName(),
    elevated: process.getuid?.() === 0,
    defaultSignal: 'SIGTERM',
    warnings: () => [...proc.machineWarnings(place), ...hiddenWarnings(userName())],
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
    attend: (stateDirectory) => presence.keep(stateDirectory),
    prepareLaunch() {
      if (prepared === null || prepared.hasFailed) prepared = new Output();
    },
    async launch(request) {
      await entering;
      const output = prepared ?? new Output();
      prepared = null;
      const launched = await launch(place, request, output, presence.path, () => kin.note(request.runId));
      if (launched.scope.drain) ends.set(launched.scope.drain.pid, output.ended);
      return cgroup === null ? launched : { ...launched, scope: { ...launched.scope, cgroup } };
    },
    launchAttached: (request) => launchAttached(place, request),
    async rehearse() {
      await entering;
      prepared ??= new Output();
    },
    decodeOutput: (bytes) => bytes.toString(),
    now: () => performance.now(), // CLOCK_MONOTONIC, which stands still during sleep (clock_gettime(2))
    snapshot,
    tree,
    treeLiveness(scope) {
      if (!samePlace(scope.root, place)) return liveness(scope.root);
      if (liveness(scope.root) === 'alive') return 'alive';
      let table: ProcessSnapshot[];
      try {
        table = proc.readTable(place, lines);
      } catch {
        return 'unknown'; // no descriptor is left
      }
      const members = tree(scope, table);
      if (members.length > 0) return members.every((m) => isConcealed(m.identity.pid)) ? 'unknown' : 'alive';
      return groupLiveness(scope, table);
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
    environmentOf: (identity) => (liveness(identity) === 'alive' ? proc.readEnvironment(identity.pid) : null),
    ioBytes: (identity) => proc.readIoBytes(identity.pid),
    mainThread: (identity) => (liveness(identity) === 'alive' ? mainThread(place, identity.pid) : null),
    examine: (identity) => (liveness(identity) === 'alive' ? examine(place, identity) : null),
    inspect: (identity) => (liveness(identity) === 'alive' ? inspect(identity.pid) : null),
    fileLocks,
    nativeStack: async (identity, signal) =>
      liveness(identity) === 'alive' ? nativeStack(place, identity, signal) : null,
    atGate: (identity) => isGate(proc.readCommandLine(identity.pid) ?? ''),
    async drained({ root, drain }, files) {
      if (drain && samePlace(root, place)) await drained(place, drain, files, ends.get(drain.pid) ?? null);
    },
    reopenOutput({ root, drain }) {
      if (drain && samePlace(root, place) && liveness(drain) === 'alive') restartDrains(place, drain);
    },
    isOutputOpen: ({ drain }) => (drain === undefined ? null : liveness(drain) !== 'dead'),
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
        found ? `state ${found.state}` : 'state unknown, /proc hides it (hidepid)',
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
