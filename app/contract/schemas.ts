/** The shapes that cross a process boundary, in zod: the single source of types, checks and openapi.json. */
import { z } from 'zod';
import { survivorReasons } from '../domain/events.ts';
import { findingKeys } from '../domain/findings.ts';
import { limits } from '../domain/limits.ts';
import { cancelSignals, isolationLevels, scriptStates, timeoutKinds, verdictKinds } from '../domain/script.ts';

/** ISO 8601 in UTC with milliseconds. */
const Time = z.iso.datetime().describe('ISO 8601, UTC, milliseconds');
const milliseconds = (what: string) => z.int().min(limits.timeoutMinMs).max(limits.timeoutMaxMs).describe(what);

export const Ticket = z.string().min(1).max(limits.ticketMax).describe('the id of a script; case-insensitive');
const Reason = z.string().trim().min(1).max(limits.reasonMax).describe('for the journal');

const Actor = z.strictObject({
  user: z.string(),
  via: z.enum(['cli', 'api', 'window', 'browser', 'unjam']),
});

const Isolation = z.strictObject({
  level: z.enum(isolationLevels).describe('full = exclusive, none = shared'),
  mutex: z.string().describe('1 to 128 of letters, digits, space, . _ - @ #'),
  timeoutMs: milliseconds('how long to wait for the mutex; null or absent = for ever').nullish(),
  inheritHold: z
    .boolean()
    .optional()
    .describe(
      'run under the hold of the script that this one is started from (UNJAM_RUN); else it would be a deadlock',
    ),
});

export const StartInput = z.strictObject({
  ticket: Ticket.optional(),
  name: z.string().trim().min(1).max(limits.nameMax).optional(),
  command: z.array(z.string()).min(1).max(10_000),
  cwd: z.string().min(1).optional(),
  environment: z
    .record(z.string().min(1), z.string())
    .optional()
    .describe('the whole environment; absent = the host’s'),
  isolation: Isolation.optional(),
  timeoutMs: milliseconds('overall timeout').optional(),
  noOutputTimeoutMs: milliseconds('ends the script after this long without output').optional(),
  cancelSignal: z.enum(cancelSignals).optional(),
  graceMs: z.int().min(limits.graceMinMs).max(limits.graceMaxMs).optional(),
  notify: z.array(z.string()).min(1).optional().describe('command to run once when the script is final'),
  cleanup: z
    .strictObject({ command: z.array(z.string()).min(1), timeoutMs: milliseconds('bound of the clean-up command') })
    .optional(),
  waitMs: z.int().min(0).max(60_000).optional().describe('answer only when the script is final, or after this long'),
});

const Identity = z.strictObject({
  pid: z.int().positive(),
  startTime: z.string().describe('opaque; equal means the same process'),
  startedAt: Time,
  name: z.string(),
});

/** Aims a command. `version` and `process` come from the view that the person decided on; a stale one is refused. */
const target = {
  ticket: Ticket,
  version: z.int().min(0).optional(),
  process: z.strictObject({ pid: z.int().positive(), startTime: z.string() }).optional(),
  reason: Reason.optional(),
};

export const CancelInput = z.strictObject({
  ...target,
  signal: z.enum(cancelSignals).optional(),
  graceMs: z.int().min(limits.graceMinMs).max(limits.graceMaxMs).optional(),
  escalate: z
    .boolean()
    .optional()
    .describe('force kill after the grace; default true for API and CLI, false for the window'),
});
export const KillInput = z.strictObject(target);
export const AbandonInput = z.strictObject({
  ...target,
  holdQueue: z.boolean().optional().describe('keep the mutex paused until it is resumed'),
  confirmPid: z
    .int()
    .positive()
    .optional()
    .describe('the pid that the operator typed; required from a window or browser'),
});

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
  blocks: z.int().describe('how many scripts wait behind it'),
  waitingFor: z.string().nullable().describe('ticket of the script that it waits for'),
  holder: z
    .strictObject({ ticket: z.string(), name: z.string(), pid: z.int().nullable(), since: Time, stuck: z.boolean() })
    .nullable(),
  queuePosition: z.int().nullable().describe('1 = first in line'),
  queueLength: z.int().nullable(),
  createdAt: Time,
  startedAt: Time.nullable(),
  endedAt: Time.nullable(),
  lastOutputAt: Time.nullable(),
  stuck: z.boolean(),
  orphan: z.boolean(),
  condition: Condition,
});

export const ProcessView = z.strictObject({
  pid: z.int(),
  parentPid: z.int(),
  depth: z.int().describe('0 = the script itself'),
  name: z.string(),
  commandLine: z.string(),
  startedAt: Time,
  cpuMs: z.int().nullable(),
  state: z.string().describe('running, sleeping, waits in kernel, stopped, …'),
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
  timeouts: z.strictObject({
    overallMs: z.int().nullable(),
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
  tray: z.enum(['idle', 'running', 'waiting', 'stuck', 'orphan', 'offline']),
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

const logStreams = ['stdout', 'stderr', 'unjam'] as const;
export const LogEntry = z.strictObject({
  /** Position in the merged log; give the last entry's `next` as `from` to go on. */
  seq: z.int(),
  next: z.int(),
  stream: z.enum(logStreams),
  at: Time.nullable().describe('when Unjam saw it, to about 50 ms'),
  code: z.string().nullable(),
  text: z
    .string()
    .describe('decoded; one or more whole lines with their line feeds, except for a last line that is not finished'),
  base64: z.string().optional().describe('the bytes as they were, when asked for with raw; text is empty then'),
});
export const LogReadInput = z.strictObject({
  ticket: Ticket,
  from: z.int().min(0).optional().describe('sequence number; absent = the start'),
  tailBytes: z.int().min(1).max(4_194_304).optional().describe('only the last so many bytes'),
  maxBytes: z.int().min(1).max(4_194_304).optional(),
  stream: z.enum(logStreams).optional(),
  search: z.string().min(1).max(1000).optional().describe('only lines that contain this text; case-sensitive'),
  raw: z.boolean().optional().describe('bytes as base64 instead of text'),
  waitMs: z
    .int()
    .min(0)
    .max(30_000)
    .optional()
    .describe('hold the answer until there is something new, or the script is final'),
});
export const LogPage = z.strictObject({
  entries: z.array(LogEntry),
  next: z.int(),
  size: z.int(),
  /** True when the script is final, its tree is gone and this page reached the end. */
  complete: z.boolean(),
});

const pattern = {
  text: z.string().min(1).max(1000),
  regex: z.boolean().optional().describe('text is a regular expression as in JavaScript, for one line at a time'),
  ignoreCase: z.boolean().optional(),
};
const LogStreams = z.array(z.enum(logStreams)).min(1).optional().describe('only lines of these; absent = all');
const LineNumber = z.int().min(1).describe('from 1, in the merged log; stays the same while the log grows');

export const LogLinesInput = z.strictObject({
  ticket: Ticket,
  from: z
    .int()
    .min(0)
    .optional()
    .describe('place of the first line among those that are wanted, from 0; absent = the last ones'),
  count: z.int().min(1).max(2000),
  streams: LogStreams,
  matching: z.strictObject(pattern).optional().describe('only lines with a hit'),
  after: z.int().min(0).optional().describe('hold the answer until the log is longer than so many bytes'),
  waitMs: z
    .int()
    .min(0)
    .max(30_000)
    .optional()
    .describe('how long to hold it; without "after": how long to wait for numbers'),
});
export const LogLine = z.strictObject({
  number: LineNumber.nullable().describe('null while the lines before it are still being counted'),
  seq: z.int(),
  stream: z.enum(logStreams),
  at: Time.nullable(),
  sinceMs: z.int().nullable().describe('since what came before it in the log'),
  code: z.string().nullable(),
  text: z.string().describe('without its line feed; the first 10,000 characters'),
  bytes: z.int().describe('how long the whole line is'),
  cut: z.boolean().describe('text is not all of it; logs.line has the rest'),
  finished: z.boolean().describe('false: it has no line feed, and the last one may still grow'),
});
export const LogLines = z.strictObject({
  lines: z.array(LogLine).describe('as many as were asked for, or fewer when they are long'),
  from: z.int().nullable().describe('place of the first one; null while the lines before it are being counted'),
  total: z.int().describe('lines that are wanted, as far as they are counted'),
  counted: z.boolean().describe('total is exact'),
  counts: z.strictObject({ stdout: z.int(), stderr: z.int(), unjam: z.int() }).describe('lines of each stream'),
  size: z.int().describe('bytes of the log; for "after"'),
  /** True when the script is final, its tree is gone and everything is counted. */
  complete: z.boolean(),
});

export const LogSearchInput = z.strictObject({
  ticket: Ticket,
  ...pattern,
  streams: LogStreams,
  near: LineNumber.optional().describe('where next and previous are looked for'),
  from: z.int().min(0).optional().describe('place of the first hit to list'),
  count: z.int().min(0).max(10_000).optional().describe('how many hits to list; absent = none'),
  waitMs: z.int().min(0).max(30_000).optional().describe('how long to wait for the exact count; absent = 1,000'),
});
const Hit = z.strictObject({ line: LineNumber, place: z.int().describe('among the hits, from 0') });
export const LogHits = z.strictObject({
  total: z.int().describe('lines with a hit, as far as the log was searched; no cap'),
  exact: z.boolean().describe('the whole log was searched'),
  hits: z.array(LineNumber),
  here: Hit.nullable().describe('the hit in the line "near"'),
  next: Hit.nullable().describe('the first hit behind it, or the first of all'),
  previous: Hit.nullable().describe('the last hit before it, or the last of all'),
});

export const LogLineInput = z.strictObject({
  ticket: Ticket,
  line: LineNumber,
  from: z.int().min(0).optional().describe('byte of the line to begin at'),
});
export const LogLineText = z.strictObject({
  text: z.string().describe('about 1 MB at most'),
  next: z.int().nullable().describe('the byte to go on from; null at its end'),
  bytes: z.int(),
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
  platform: z.string(),
  elevated: z.boolean(),
  startedAt: Time,
  stateDirectory: z.string(),
  capabilities: z.array(z.string()),
  killDisabled: z.boolean(),
});

/** Lowest and highest value of the numbers in Settings. */
export const settingBounds = {
  silentAfterMinutes: { min: 1, max: 1_440 },
  busyCpuPercent: { min: 0.1, max: 100 },
  overdueFactor: { min: 1.1, max: 100 },
  overdueMinMinutes: { min: 1, max: 10_080 },
  cancelGraceSeconds: { min: 1, max: 3_600 },
  forceKillSettleSeconds: { min: 1, max: 60 },
  keepFinishedDays: { min: 1, max: 90 },
  keepFinishedCount: { min: 10, max: 1_000 },
  keepHistoryDays: { min: 30, max: 3_650 },
  'notifications.minutesPerMutex': { min: 1, max: 1_440 },
  textSizePercent: { min: 80, max: 150 },
} as const;
const whole = (key: keyof typeof settingBounds) => z.int().min(settingBounds[key].min).max(settingBounds[key].max);
const fraction = (key: keyof typeof settingBounds) =>
  z.number().min(settingBounds[key].min).max(settingBounds[key].max);

/** Of the clock on the wall where the toasts are shown. */
const TimeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/);

export const Settings = z.strictObject({
  silentAfterMinutes: whole('silentAfterMinutes'),
  busyCpuPercent: fraction('busyCpuPercent').describe('of one core, over the last minute'),
  overdueFactor: fraction('overdueFactor').describe('times the median of earlier successes'),
  overdueMinMinutes: whole('overdueMinMinutes'),
  cancelGraceSeconds: whole('cancelGraceSeconds').describe('grace of a Cancel from the console'),
  forceKillSettleSeconds: whole('forceKillSettleSeconds').describe(
    'after a Force Kill that somebody asked for, before what is left is called unkillable',
  ),
  keepFinishedDays: whole('keepFinishedDays'),
  keepFinishedCount: whole('keepFinishedCount'),
  keepHistoryDays: whole('keepHistoryDays').describe('older entries of the journal are removed'),
  requireReason: z.boolean().describe('Cancel, Force Kill and Abandon are refused without a reason'),
  killNeedsPid: z.boolean().describe('the console always asks for the typed pid before Force Kill'),
  textSizePercent: whole('textSizePercent'),
  theme: z.enum(['system', 'light', 'dark']),
  timeDisplay: z.enum(['local', 'utc']),
  singleLetterKeys: z.boolean(),
  'notifications.stuck': z.boolean().describe('toast: a stuck script blocks others'),
  'notifications.unkillable': z.boolean().describe('toast: Cancel was ignored, or a process cannot be ended'),
  'notifications.orphanExited': z.boolean().describe('toast: what was abandoned has ended'),
  'notifications.minutesPerMutex': whole('notifications.minutesPerMutex').describe('at most one toast in this time'),
  'notifications.quietHours': z.boolean().describe('no toasts between quietFrom and quietTo'),
  'notifications.quietFrom': TimeOfDay,
  'notifications.quietTo': TimeOfDay,
  'notifications.eventLog': z.boolean().describe('write the lines of Unjam to the Windows Event Log, source Unjam'),
  disableForceKill: z.boolean().describe('policy only'),
  disableAbandon: z.boolean().describe('policy only'),
});
const settingKeys = Settings.keyof();

export const SettingsChange = z.strictObject({
  values: Settings.partial().optional(),
  reset: z.array(settingKeys).optional().describe('keys that get their default again'),
});
export const SettingsView = z.strictObject({
  values: Settings,
  entries: z.array(
    z.strictObject({
      key: settingKeys,
      default: z.union([z.boolean(), z.number(), z.string()]),
      source: z.enum(['default', 'user', 'machine', 'policy']),
      /** Who set it, when it cannot be changed here. */
      managed: z.string().nullable(),
      min: z.number().nullable(),
      max: z.number().nullable(),
    }),
  ),
  /** What of the files could not be used; one sentence each. */
  problems: z.array(z.string()),
  file: z.string(),
});

export const DrillInput = z.strictObject({
  minutes: z.number().min(0.1).max(60).optional().describe('every script of it ends by itself after this; default 15'),
});
export const Drill = z.strictObject({
  mutex: z.string(),
  /** The script that ignores Cancel. */
  hung: ScriptView,
  waiting: z.array(ScriptView),
  endsBy: Time,
});
