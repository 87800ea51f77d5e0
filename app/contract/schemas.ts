/** The shapes that cross a process boundary, in zod: the single source of types, checks and openapi.json. */
import { z } from 'zod';
import { survivorReasons } from '../domain/events.ts';
import { roles } from '../domain/access.ts';
import { findingKeys } from '../domain/findings.ts';
import { limits } from '../domain/limits.ts';
import { platforms } from '../domain/platform.ts';
import { cancelSignals, isolationLevels, scriptStates, timeoutKinds, verdictKinds } from '../domain/script.ts';

/** ISO 8601 in UTC with milliseconds. */
export const Time = z.iso.datetime().describe('ISO 8601, UTC, milliseconds');

export const Ticket = z.string().min(1).max(limits.ticketMax).describe('the id of a script; case-insensitive');
export const Reason = z.string().trim().min(1).max(limits.reasonMax).describe('for the journal');

const Actor = z.strictObject({
  user: z.string(),
  via: z.enum(['cli', 'api', 'window', 'browser', 'fleet', 'unjam']),
});

export const Identity = z.strictObject({
  pid: z.int().positive(),
  startTime: z.string().describe('opaque; equal means the same process'),
  startedAt: Time,
  name: z.string(),
});

export const EvidenceSaved = z.strictObject({
  ticket: z.string().describe('or the id of an observed script'),
  file: z.string().describe('its name in the folder of the script; evidence.read hands it out'),
  path: z.string(),
  bytes: z.int(),
  at: Time,
  collected: z.boolean().describe('false: saved earlier, while the processes of this finished script were still there'),
  missing: z.array(z.string()).describe('what is not in it, and why; also in its README.md'),
});
export const EvidencePart = z.strictObject({
  base64: z.string().describe('about 0.5 MB at most'),
  next: z.int().nullable().describe('the byte to go on from; null at its end'),
  bytes: z.int().describe('of the whole file'),
});
export const Taken = z
  .strictObject({ by: z.string(), since: Time, until: Time })
  .nullable()
  .describe('who said "I am on it", for an hour or until the script ends');

export const severities = ['critical', 'warning', 'info', 'neutral', 'orphan'] as const;
export const icons = [
  'hourglass',
  'hourglass-bar',
  'play',
  'silent',
  'silent-busy',
  'clock',
  'triangle',
  'never-started',
  'stop',
  'stop-slash',
  'killing',
  'octagon-x',
  'octagon-lock',
  'octagon-shield',
  'octagon-question',
  'ring',
  'ring-check',
  'check',
  'cross',
  'hourglass-cross',
  'recovered',
  'question',
  'dash',
] as const;
export const verbs = ['cancel', 'kill', 'abandon'] as const;

/** What a person reads about a script: made by the domain, the same in list, detail, CLI and journal. */
export const Condition = z.strictObject({
  /** Stable key for tests and styling: `cancel-ignored`. */
  key: z.string(),
  label: z.string().describe('at most 24 characters'),
  headline: z.string(),
  severity: z.enum(severities),
  icon: z.enum(icons),
  next: z.enum([...verbs, 'wait', 'show-holder', 'log', 'none']),
});

export const ScriptView = z.strictObject({
  ticket: z.string(),
  name: z.string(),
  /** Grows with every change of the lifecycle; commands that carry an older one are refused. */
  version: z.int(),
  state: z.enum(scriptStates),
  verdict: z.enum(verdictKinds).nullable(),
  timeout: z.enum(timeoutKinds).nullable(),
  exitCode: z.int().nullable().describe('raw, as the operating system reported it'),
  signal: z.string().nullable(),
  resultCode: z.int().describe('Tentacle’s codes: 0 running, -43 cancelled, -44 mutex timeout, -48 abandoned …'),
  pid: z.int().nullable(),
  process: Identity.nullable(),
  mutex: z.string().nullable(),
  isolation: z.enum(isolationLevels).nullable(),
  holdsMutex: z.boolean(),
  blocks: z.int().describe('how many scripts are waiting behind it'),
  waitingFor: z.string().nullable().describe('ticket of the script that it waits for'),
  holder: z
    .strictObject({ ticket: z.string(), name: z.string(), pid: z.int().nullable(), since: Time, stuck: z.boolean() })
    .nullable(),
  queuePosition: z.int().nullable().describe('1 = first in line'),
  queueLength: z.int().nullable(),
  estimate: z
    .strictObject({ from: Time, to: Time, runs: z.int() })
    .optional()
    .describe('between when it will probably start, and how many earlier runs say so; absent = they do not tell'),
  traceparent: z.string().optional().describe('the W3C trace of its caller, from TRACEPARENT'),
  createdAt: Time,
  startedAt: Time.nullable(),
  endedAt: Time.nullable(),
  lastOutputAt: Time.nullable(),
  stuck: z.boolean(),
  orphan: z.boolean(),
  taken: Taken,
  condition: Condition,
});

export const ProcessView = z.strictObject({
  pid: z.int(),
  parentPid: z.int(),
  depth: z.int().describe('0 = the script itself'),
  name: z.string(),
  commandLine: z.string(),
  startedAt: Time,
  startTime: z.string().describe('opaque; with the pid it names this process and no other'),
  cpuMs: z.int().nullable(),
  ioBytes: z.int().nullable().optional().describe('read and written since its start; null where it cannot be read'),
  state: z.string().describe('running, sleeping, waits in kernel, stopped, …'),
  waits: z.string().nullable().optional().describe('what a sleeping process waits for, as measured'),
  user: z.string().nullable(),
  survivor: z.strictObject({ reason: z.enum(survivorReasons), detail: z.string() }).nullable(),
});

const VerbView = z.strictObject({
  possible: z.boolean(),
  /** Why not, or what it will do. Never empty. */
  text: z.string(),
});

export const ScriptDetail = ScriptView.extend({
  command: z.array(z.string()),
  cwd: z.string(),
  actor: Actor,
  fence: z.int().nullable(),
  runnerPid: z.int().nullable(),
  runDirectory: z.string(),
  cancelSignal: z.enum(cancelSignals),
  graceMs: z.int(),
  maskEnv: z.array(z.string()).optional(),
  timeouts: z.strictObject({
    overallMs: z.int().nullable(),
    firstOutputMs: z.int().optional().describe('absent: none'),
    noOutputMs: z.int().nullable(),
    mutexMs: z.int().nullable(),
  }),
  evidence: z.strictObject({ for: z.array(z.string()), against: z.array(z.string()) }),
  attempts: z.array(
    z.strictObject({
      at: Time,
      what: z.enum(['cancel', 'kill', 'abandon', 'timeout']),
      actor: z.string(),
      code: z.string().nullable(),
      text: z.string().nullable(),
    }),
  ),
  waiters: z.array(
    z.strictObject({
      ticket: z.string(),
      name: z.string(),
      isolation: z.enum(isolationLevels),
      position: z.int(),
      since: Time,
    }),
  ),
  processes: z.array(ProcessView),
  verbs: z.strictObject({ cancel: VerbView, kill: VerbView, abandon: VerbView }),
  logBytes: z.int(),
});

export const Diagnosis = z.strictObject({
  ticket: z.string(),
  name: z.string(),
  at: Time,
  measuredMs: z.int().describe('time between the two looks at the processes'),
  findings: z
    .array(
      z.strictObject({
        key: z.enum(findingKeys),
        text: z.string().describe('one sentence with its numbers'),
        evidence: z.array(z.string()).min(1).describe('what was measured, one fact each'),
        pids: z.array(z.int()),
        advice: z.string().nullable(),
      }),
    )
    .min(1)
    .describe('the most telling one first'),
  processes: z.array(
    z.strictObject({
      pid: z.int(),
      parentPid: z.int(),
      name: z.string(),
      state: z.string(),
      user: z.string().nullable(),
      cpuMs: z.int().nullable(),
      cpuDeltaMs: z.int().nullable().describe('CPU time while it was measured'),
      threads: z.array(
        z.strictObject({
          id: z.int(),
          state: z.string(),
          waitsIn: z.string().nullable().describe('kernel function or wait reason'),
          call: z.string().nullable().describe('system call'),
        }),
      ),
      threadCount: z.int(),
    }),
  ),
});

const unsupervised = z
  .literal(true)
  .optional()
  .describe('a wrapper (unjam hold) has it: there is no script of that ticket');

export const MutexView = z.strictObject({
  name: z.string(),
  paused: z.boolean(),
  pausedBy: z.string().nullable(),
  /** An orphan of an abandoned hold still runs: grants are not isolated from it. */
  tainted: z.boolean(),
  deadlocks: z.array(z.string()).optional().describe('loops over several mutexes, one sentence each'),
  holders: z.array(
    z.strictObject({
      ticket: z.string(),
      name: z.string(),
      pid: z.int().nullable(),
      level: z.enum(isolationLevels),
      since: Time,
      fence: z.int(),
      under: z.string().optional().describe('ticket of the holder whose hold it joined (--inherit-hold); same fence'),
      unsupervised,
      stuck: z.boolean(),
    }),
  ),
  waiters: z.array(
    z.strictObject({
      ticket: z.string(),
      name: z.string(),
      level: z.enum(isolationLevels),
      since: Time,
      position: z.int(),
      unsupervised,
      why: z.string(),
    }),
  ),
  orphans: z.array(
    z.strictObject({ ticket: z.string(), name: z.string(), pid: z.int().nullable(), since: Time, by: z.string() }),
  ),
});

/** The first line of the console, the window title and the tray tooltip. */
export const Overview = z.strictObject({
  sentence: z.string(),
  detail: z.string(),
  title: z.string(),
  tooltip: z.string().max(127),
  severity: z.enum(severities),
  tray: z.enum(['idle', 'running', 'waiting', 'stuck', 'orphan']),
  /** The script to look at first, and the next step there. */
  ticket: z.string().nullable(),
  next: Condition.shape.next,
});

export const Snapshot = z.strictObject({
  sequence: z.int(),
  at: Time,
  machine: z.string(),
  overview: Overview,
  scripts: z.array(ScriptView),
  mutexes: z.array(MutexView),
});

export const HistoryEntry = z.strictObject({
  id: z.int(),
  at: Time,
  ticket: z.string().nullable(),
  name: z.string().nullable(),
  mutex: z.string().nullable(),
  who: z.string(),
  via: z.string(),
  kind: z.string().describe('cancel, kill, abandon, started, final, orphan-ended, resume, recovered …'),
  code: z.string().nullable(),
  text: z.string(),
  data: z.json(),
});

export const HostInfo = z.strictObject({
  name: z.literal('unjam'),
  version: z.string(),
  protocol: z.int(),
  pid: z.int(),
  machine: z.string(),
  user: z.string(),
  platform: z.enum(platforms),
  elevated: z.boolean(),
  you: z
    .strictObject({
      user: z.string(),
      role: z.enum(roles),
      refused: z
        .record(z.string(), z.string())
        .describe('methods that this role may not call, each with the sentence who may'),
      fleet: z.string().optional().describe('under which name fleet.scripts asks; absent where it may not'),
    })
    .describe('the caller, as the system names it, and what it may do here'),
  startedAt: Time,
  stateDirectory: z.string(),
  capabilities: z.array(z.string()),
  killDisabled: z.boolean(),
  /** How the program of this host was replaced since it started; null when it was not. It starts nothing then. */
  outdated: z.string().nullable(),
  /** What keeps this host from doing its whole job, and what to do about it. */
  warnings: z.array(z.strictObject({ text: z.string(), next: z.string() })),
  fleet: z.string().optional().describe('the name of this host in its fleet; absent where it has joined none'),
});

export const FleetView = z.strictObject({
  host: z.string().describe('the name of this host in it'),
  at: Time.nullable().describe('when the engine answered last; null when it has not yet'),
  problem: z.string().nullable().describe('why it does not answer now: the hosts are as they were then'),
  hosts: z.array(
    z.strictObject({
      id: z.string(),
      version: z.string(),
      state: z.enum(['reachable', 'unreachable', 'retired']),
      since: Time.describe('when it was last seen, or retired'),
      why: z.string().nullable().describe('why it was retired'),
      holds: z.array(
        z.strictObject({
          mutex: z.string(),
          scripts: z.int().describe('of this host, that hold it'),
          waiters: z.int().describe('scripts of all hosts that wait for it'),
        }),
      ),
      waits: z.int().describe('scripts of this host that wait for a mutex of the fleet'),
    }),
  ),
});

export const ConsoleAddress = z.strictObject({
  url: z.string().describe('a secret: whoever has it opens the console, from this account'),
  port: z.int().describe('on 127.0.0.1; the same one each time, unless another program has taken it'),
  expiresAt: Time,
  role: z.enum(roles).describe('what its console may do; a role that is taken away is gone there too'),
});

export const Drill = z.strictObject({
  mutex: z.string(),
  /** The script that ignores Cancel. */
  hung: ScriptView,
  waiting: z.array(ScriptView),
  endsBy: Time,
});
