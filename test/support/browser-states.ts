/** States that a test gives to a script of the stuck world. */
import type { FleetView, Output, ScriptDetail } from '../../app/contract/methods.ts';
import { ago, minute, possible, processOf, verbTexts } from './browser-worlds.ts';

/** What the stuck script looks like after Cancel was ignored. */
export const cancelIgnored = {
  state: 'cancelling',
  condition: {
    key: 'cancel-ignored',
    label: 'Stuck: Cancel ignored',
    headline: 'Stuck: Cancel ignored; 3 of 3 processes still there 40 s after it was sent.',
    severity: 'critical',
    icon: 'stop-slash',
    next: 'kill',
  },
  attempts: [
    {
      at: ago(40_000),
      what: 'cancel',
      actor: 'CONTOSO\\kim (window)',
      code: 'W201',
      text: 'Sent Ctrl+Break to the process group of PID 7312.',
    },
  ],
  verbs: {
    ...verbTexts,
    abandon: possible('Releases the mutex at once and ends nothing. The processes may keep running.'),
  },
} satisfies Partial<ScriptDetail>;

/** … and after Force Kill has failed as well. */
export const unkillable = {
  state: 'unkillable',
  condition: {
    key: 'unkillable',
    label: 'Unkillable: in kernel',
    headline:
      'Stuck: Unkillable for 31 s. The system accepted the request to end PID 8444, but it still exists: a thread waits inside a kernel call.',
    severity: 'critical',
    icon: 'octagon-x',
    next: 'abandon',
  },
  attempts: [
    ...cancelIgnored.attempts,
    {
      at: ago(31_000),
      what: 'kill',
      actor: 'CONTOSO\\kim (window)',
      code: 'W211',
      text: 'Ending 3 processes; 2 of 3 ended.',
    },
  ],
  processes: [
    processOf(7312, 'powershell.exe', 52 * minute),
    processOf(8444, 'robocopy.exe', 49 * minute, {
      depth: 1,
      parentPid: 7312,
      commandLine: 'robocopy D:\\Build D:\\Apps /MIR',
      state: 'waits in kernel',
      survivor: { reason: 'kernel', detail: '1 of its 4 threads waits inside a kernel call (wait reason Executive)' },
    }),
  ],
  verbs: cancelIgnored.verbs,
} satisfies Partial<ScriptDetail>;

/** What a waiter looks like after "Remove from queue". */
export const removedFromQueue = {
  state: 'final',
  verdict: 'cancelled',
  condition: {
    key: 'cancelled',
    label: 'Cancelled by kim',
    headline: 'Cancelled by CONTOSO\\kim while it waited; it was never started.',
    severity: 'neutral',
    icon: 'stop',
    next: 'none',
  },
  timeouts: { overallMs: 600_000, noOutputMs: null, mutexMs: 3_600_000 },
} satisfies Partial<ScriptDetail>;

/** A script of Unjam has the lock of dpkg, and an agent's job tries to get it. */
export const dpkgLocked: Output<'foreignLocks.list'> = {
  missing: null,
  locks: [
    {
      name: 'dpkg (frontend)',
      path: '/var/lib/dpkg/lock-frontend',
      kind: 'fcntl',
      access: 'write',
      holder: { pid: 7_312, name: 'dpkg', script: '9f2c-41aa', job: null },
      waiters: [
        {
          pid: 812,
          name: 'apt-get',
          script: 'o-812-90',
          job: 'octo/shop / deploy (GitHub Actions runner)',
          seen: 'inferred',
        },
      ],
      freedBy: 'It is free when its holder has ended.',
    },
  ],
};

/** One that is away and blocks others, this one, and one that was retired. */
export const threeHosts: FleetView = {
  host: 'web-1',
  at: ago(0),
  problem: null,
  hosts: [
    { id: 'web-1', version: '0.1.0', state: 'reachable', since: ago(3_000), why: null, holds: [], waits: 1 },
    {
      id: 'web-2',
      version: '0.1.0',
      state: 'unreachable',
      since: ago(18 * minute),
      why: null,
      holds: [
        { mutex: 'web (fleet)', scripts: 1, waiters: 3 },
        { mutex: 'db (fleet)', scripts: 1, waiters: 0 },
      ],
      waits: 0,
    },
    {
      id: 'web-3',
      version: '0.0.9',
      state: 'retired',
      since: ago(50 * 60 * minute),
      why: 'its disk died',
      holds: [],
      waits: 0,
    },
  ],
};
