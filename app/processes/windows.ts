/** Windows process control on job objects, consoles and handles, through koffi. x64. */
import { type Liveness, type Place, type ProcessIdentity, sameProcess, samePlace } from '../domain/identity.ts';
import type { TreeScope } from '../domain/script.ts';
import type {
  AttachedLaunchRequest,
  LaunchedScript,
  LaunchRequest,
  ProcessControl,
  ProcessSnapshot,
  TreeMember,
  Warning,
} from './control.ts';
import { isClosed, machineFolder } from './places.ts';
import { type HelperRuntime, listenToCtrlC, ownRuntime, sendConsoleEvent } from './windows/console-signal.ts';
import { end, explainSurvivor, measureSurvivor } from './windows/ending.ts';
import type { Handle } from './windows/ffi.ts';
import { identify, liveness, readPlace } from './windows/identity.ts';
import { interrupt } from './windows/interrupt.ts';
import { membersOf, terminateJob, usageOf, withJob } from './windows/job.ts';
import { access, closeHandle, ioBytesOf, uptimeWithoutSleep, withProcess } from './windows/kernel.ts';
import { launch } from './windows/launch.ts';
import { readCommandLine } from './windows/process-memory.ts';
import { jobWarning, type OwnJob, ownJob } from './windows/own-jobs.ts';
import { DebugPrivilege } from './windows/privilege.ts';
import { readTable, type Thread, toSnapshot, waitsOf } from './windows/process-table.ts';
import { isSuspended, resume } from './windows/suspension.ts';
import { decodeOem } from './windows/text-decoding.ts';
import { ownerOf, ownOwner, sessionOf } from './windows/token.ts';
import { closeWindows, topWindows } from './windows/top-windows.ts';
import { CookieCache, treeOf } from './windows/tree.ts';
import { waitedForBy } from './windows/wait-chain.ts';
import { describeWaits } from './windows/waits.ts';

/** `runtime` runs the helper that sends Ctrl-C; a host inside Electron must give the plain Node beside its runner. */
export function openWindows(runtime: HelperRuntime | null = ownRuntime()): ProcessControl {
  if (process.arch !== 'x64')
    throw new Error(
      `This Node is for ${process.arch}. Unjam for Windows needs the one for x64, which Windows on ARM emulates.`,
    );
  const place = readPlace();
  const self = identify(place, process.pid);
  if (!self) throw new Error('Windows does not show this process.');
  const owner = ownOwner();
  const debug = new DebugPrivilege();
  const own = { user: owner.user, session: sessionOf(process.pid), integrity: owner.integrity };
  const cookies = new CookieCache();
  /** The jobs of the scripts that this process launched, by name. Their handles keep the names alive. */
  const jobs = new Map<string, Handle>();

  const readSnapshot = (): ProcessSnapshot[] | null => readTable()?.map((entry) => toSnapshot(place, entry)) ?? null;

  /** Null when the job is gone: its last handle closed when the runner ended. */
  function onJob<T>(scope: TreeScope, use: (job: Handle) => T | null): T | null {
    if (scope.job === null || !samePlace(scope.root, place)) return null;
    const held = jobs.get(scope.job);
    return held === undefined ? withJob(scope.job, use) : use(held);
  }

  function tree(scope: TreeScope, table: readonly ProcessSnapshot[] | null = readSnapshot()): TreeMember[] {
    if (!samePlace(scope.root, place)) return [];
    const members = onJob(scope, membersOf);
    if (table === null) return membersAlone(scope.root, members ?? []);
    const now = performance.now();
    cookies.prune(table);
    return treeOf(scope, table, members && new Set(members), (p) => debug.use(() => cookies.read(p, now)));
  }

  /** What can be said when Windows shows no table: root and job, each process asked for itself. */
  function membersAlone(root: ProcessIdentity, pids: readonly number[]): TreeMember[] {
    return [...new Set([root.pid, ...pids])].flatMap((pid) => {
      const identity = identify(place, pid);
      if (identity === null || (pid === root.pid && !sameProcess(identity, root))) return [];
      const by = pid === root.pid ? 'root' : 'job';
      return [
        { identity, parentPid: 0, group: null, session: null, cpuMs: null, childrenCpuMs: null, state: 'unknown', by },
      ];
    });
  }

  /** Without a table nobody can say that a tree is empty. */
  function treeLiveness(scope: TreeScope): Liveness {
    const root = liveness(place, scope.root);
    if (root === 'alive' || !samePlace(scope.root, place)) return root;
    const table = readSnapshot();
    if (tree(scope, table).length > 0) return 'alive';
    return table === null ? 'unknown' : root;
  }

  const endTree = (scope: TreeScope): boolean => onJob(scope, terminateJob) ?? false;

  function waits(pid: number, threads: readonly Thread[]): string | null {
    return describeWaits({
      suspended: isSuspended(threads),
      windows: topWindows(new Set([pid])),
      chain: waitedForBy(pid, threads),
      threads: waitsOf(threads),
    });
  }

  /** Only processes whose every thread is suspended: see `isSuspended`. */
  function wake(pids: readonly number[]): number {
    const wanted = new Set(pids);
    return (readTable() ?? []).filter(
      (entry) => wanted.has(entry.pid) && isSuspended(entry.threads) && resume(entry.pid),
    ).length;
  }

  function begin(request: LaunchRequest | AttachedLaunchRequest): Promise<LaunchedScript> {
    return new Promise((resolve) => {
      const { script, job } = launch(place, request);
      jobs.set(job.name, job.handle);
      resolve(script);
    });
  }

  return {
    platform: 'win32',
    self,
    user: owner.user ?? process.env['USERNAME'] ?? 'unknown',
    elevated: owner.elevated,
    defaultSignal: 'ctrl-c',
    warnings: () => {
      const folder = machineFolder(process.env, process.execPath);
      const closedFolder = folder !== null && isClosed(folder) ? folder : null;
      return warningsOf({ place, job: ownJob(), elevated: owner.elevated, debug: debug.held, closedFolder });
    },
    identify: (pid) => identify(place, pid),
    liveness: (identity) => liveness(place, identity),
    prepareRunner: listenToCtrlC,
    launch: begin,
    launchAttached: begin,
    decodeOutput: (bytes) => decodeOem(bytes),
    now: uptimeWithoutSleep,
    snapshot: () => readSnapshot() ?? [],
    tree,
    treeLiveness,
    usage(scope) {
      const usage = onJob(scope, usageOf);
      return usage && { ...usage, basis: scope.job ?? '' };
    },
    facts(identity) {
      if (liveness(place, identity) !== 'alive') return null;
      const entry = readTable()?.find((e) => e.pid === identity.pid);
      return {
        commandLine: debug.use(() => readCommandLine(identity.pid)) ?? identity.name,
        user: debug.use(() => ownerOf(identity.pid)).user,
        ioBytes: entry?.ioBytes ?? null,
        waitsFor: waits(identity.pid, entry?.threads ?? []),
      };
    },
    ioBytes: ({ pid }) => withProcess(pid, access.queryLimited, ioBytesOf, () => null),
    interrupt: (scope, signal) =>
      interrupt(
        {
          tree: () => tree(scope),
          send: (pids, event) => sendConsoleEvent(runtime, pids, event),
          wake,
          closeWindows,
          endTree: () => endTree(scope),
        },
        signal,
      ),
    endTree,
    end(identity) {
      return samePlace(identity, place) ? debug.use(() => end(identity)) : { kind: 'not-same' };
    },
    whyAlive(identity, outcome) {
      return explainSurvivor(measureSurvivor(identity, outcome, own, waits(identity.pid, threadsOf(identity.pid))));
    },
    close() {
      for (const job of jobs.values()) closeHandle(job);
      jobs.clear();
      debug.close();
    },
  };
}

const threadsOf = (pid: number): readonly Thread[] => readTable()?.find((entry) => entry.pid === pid)?.threads ?? [];

interface Circumstances {
  readonly place: Place;
  readonly job: OwnJob | null;
  readonly elevated: boolean;
  readonly debug: boolean;
  /** The machine's folder, when this account may not look into it. */
  readonly closedFolder: string | null;
}

/** Pure. */
export function warningsOf({ place, job, elevated, debug, closedFolder }: Circumstances): Warning[] {
  const warnings: Warning[] = [];
  const inJob = jobWarning(job);
  if (inJob !== null) warnings.push(inJob);
  if (closedFolder !== null)
    warnings.push({
      text: `Scripts that SYSTEM or an elevated administrator starts are not shown here: their host has "${closedFolder}", which this account may not open.`,
      next: 'Look at them with an elevated "unjam ps"; or have an administrator run "unjam service install" and give this account a role.',
    });
  if (elevated && !debug)
    warnings.push({
      text: 'This administrator does not hold the right "Debug programs" (SeDebugPrivilege): what processes of other users wait for cannot be read, and those that shut out administrators cannot be ended.',
      next: 'Give the account that right in the local security policy, and start the host again.',
    });
  if (place.machineId === undefined)
    warnings.push({
      text: `This machine is known by its name "${place.machine}" alone: its MachineGuid cannot be read. After a change of the name its earlier holds count as another machine's.`,
      next: 'Let this account read HKLM\\SOFTWARE\\Microsoft\\Cryptography.',
    });
  return warnings;
}
