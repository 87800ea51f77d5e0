/** Processes of others on Windows. Without administrator rights, those of services show neither words nor variables. */
import { type ProcessIdentity, sameProcess } from '../../domain/identity.ts';
import type { ProcessControl } from '../control.ts';
import type { ForeignProcesses } from '../foreign.ts';
import { type HelperRuntime, ownRuntime, sendConsoleEvent } from './console-signal.ts';
import { attempt, bind, type Handle, type Out } from './ffi.ts';
import { readCommandLine, readEnvironmentVariables } from './process-memory.ts';
import { ownerOf } from './token.ts';

const openServiceManager = bind<(machine: null, database: null, rights: number) => Handle>(
  'advapi32',
  'uintptr_t',
  'OpenSCManagerW',
  'void *',
  'void *',
  'uint32',
);
const closeServiceManager = bind<(manager: Handle) => number>('advapi32', 'int32', 'CloseServiceHandle', 'uintptr_t');
const enumServices = bind<
  (
    manager: Handle,
    level: number,
    type: number,
    state: number,
    buffer: Buffer,
    size: number,
    needed: Out,
    count: Out,
    resume: [number],
    group: null,
  ) => number
>(
  'advapi32',
  'int32',
  'EnumServicesStatusExW',
  'uintptr_t',
  'int',
  'uint32',
  'uint32',
  '_Out_ void *',
  'uint32',
  '_Out_ uint32 *',
  '_Out_ uint32 *',
  '_Inout_ uint32 *',
  'void *',
);

export function openForeign(control: ProcessControl, runtime: HelperRuntime | null = ownRuntime()): ForeignProcesses {
  const users = new Map<string, string | null>();
  const isSame = (of: ProcessIdentity): boolean => {
    const found = control.identify(of.pid);
    return found !== null && sameProcess(found, of);
  };
  return {
    words: (of) => readCommandLine(of.pid),
    variables: (of, names) => readEnvironmentVariables(of.pid, names),
    unit: () => null,
    user(of) {
      const key = `${of.pid}:${of.startTime}`;
      if (!users.has(key)) {
        if (users.size > 4_096) users.clear();
        users.set(key, ownerOf(of.pid).user);
      }
      return users.get(key) ?? null;
    },
    services: readServices,
    // Whoever suspends a process of another program may leave it so for ever: its tree is ended as it is.
    freeze: () => false,
    thaw: () => undefined,
    async interrupt(targets) {
      const living = targets.filter(isSame);
      if (living.length === 0) return { kind: 'gone' };
      const pids = living.map((of) => of.pid);
      const report = await sendConsoleEvent(runtime, pids, 'Ctrl-C', new Set(pids));
      const [first] = report.failures;
      if (report.sent.length > 0)
        return { kind: 'sent', what: `Ctrl-C to the console of PID ${report.sent.join(', ')}` };
      return {
        kind: 'undeliverable',
        what: `Ctrl-C to the console of PID ${first?.pid ?? pids[0]}`,
        errorCode: first?.error ?? 'UNKNOWN',
        message: first?.message ?? 'no process of the script has a console of its own',
      };
    },
    outputs: () => [],
    writers: () => [],
    reads: () => false,
    locksOn: () => ({ locks: [], hidden: true }),
  };
}

/** ENUM_SERVICE_STATUS_PROCESSW, x64: 56 bytes each, the pid at 44. */
function readServices(): ReadonlySet<number> {
  const connect = 0x1;
  const enumerate = 0x4;
  const [win32, active] = [0x30, 0x1];
  const found = new Set<number>();
  const manager = attempt(() => openServiceManager(null, null, connect | enumerate));
  if (manager === null || BigInt(manager) === 0n) return found;
  try {
    const resume: [number] = [0];
    for (let round = 0; round < 64; round += 1) {
      const buffer = Buffer.alloc(262_144);
      const [needed, count]: [Out, Out] = [[0], [0]];
      const done = attempt(() =>
        enumServices(manager, 0, win32, active, buffer, buffer.length, needed, count, resume, null),
      );
      for (let i = 0; i < Number(count[0]); i += 1) found.add(buffer.readUInt32LE(56 * i + 44));
      if (done !== 0 || resume[0] === 0) break;
    }
  } finally {
    closeServiceManager(manager);
  }
  found.delete(0);
  return found;
}
