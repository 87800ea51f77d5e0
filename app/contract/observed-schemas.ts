/** Scripts that deployment agents started by themselves: seen, not supervised. No command line is ever in these shapes. */
import { z } from 'zod';
import { survivorReasons } from '../domain/events.ts';
import { limits } from '../domain/limits.ts';
import { cancelSignals, isolationLevels } from '../domain/script.ts';
import * as s from './schemas.ts';

const { Condition, Identity, Reason, Time } = s;

export const ObservedId = z
  .string()
  .regex(/^o-\d+-\w+$/)
  .describe('o-<pid>-<start time> of the first process of the run');

export const ObservedView = z.strictObject({
  id: ObservedId,
  agent: z.strictObject({ key: z.string(), name: z.string(), pid: z.int().nullable() }),
  name: z.string().describe('job and step, as far as agent and rights tell'),
  pid: z.int().nullable().describe('the topmost process of the script part; null while there is none'),
  process: Identity.nullable().describe('of that pid; what Cancel and Force Kill are aimed with'),
  user: z.string().nullable(),
  processes: z.int().describe('how many processes the script part has'),
  startedAt: Time,
  lastOutputAt: Time.nullable().describe('when the agent’s log last grew; null when that is not known'),
  mutex: z.string().nullable().describe('of the agent, not of Unjam'),
  isolation: z.enum(isolationLevels).nullable(),
  waiters: z.array(z.string()).describe('who was seen waiting for it'),
  taken: s.Taken,
  ticket: z.string().nullable().describe('the ticket that it runs under, when it runs through Unjam'),
  stuck: z.boolean(),
  leftBehind: z.boolean().describe('its agent has given up on it'),
  condition: Condition,
});

const Verb = z.strictObject({ possible: z.boolean(), text: z.string() });

export const ObservedDetail = ObservedView.extend({
  carriers: z.array(z.strictObject({ pid: z.int(), name: z.string() })).describe('spared by every verb'),
  tree: z.array(
    z.strictObject({
      pid: z.int(),
      parentPid: z.int(),
      name: z.string(),
      startedAt: Time,
      cpuMs: z.int().nullable(),
      ioBytes: z.int().nullable(),
      state: z.string(),
      waitsFor: z.string().nullable(),
      survivor: z.strictObject({ reason: z.enum(survivorReasons), detail: z.string() }).nullable(),
    }),
  ),
  log: z
    .strictObject({ path: z.string(), bytes: z.int().nullable(), maskedBy: z.enum(['agent', 'nobody']) })
    .nullable(),
  attempts: z
    .array(
      z.strictObject({
        at: Time,
        what: z.enum(['cancel', 'kill']),
        actor: z.string(),
        code: z.string(),
        text: z.string(),
      }),
    )
    .describe('what was asked for since this host began'),
  signal: z.enum(cancelSignals).describe('what Cancel sends'),
  verbs: z.strictObject({ cancel: Verb, kill: Verb }),
  instead: z.string().describe('in place of Abandon: what frees what the agent holds'),
  outputHolders: z
    .array(z.strictObject({ pid: z.int(), name: z.string(), startedAt: Time }))
    .describe('who keeps the output of a script open that has gone'),
  missing: z.string().nullable().describe('what more rights would show'),
});

const aim = {
  id: ObservedId,
  process: z
    .strictObject({ pid: z.int().positive(), startTime: z.string() })
    .optional()
    .describe('of the view that the person decided on; another one is refused'),
  reason: Reason.optional(),
};

export const ObservedCancelInput = z.strictObject({
  ...aim,
  graceMs: z.int().min(limits.graceMinMs).max(limits.graceMaxMs).optional(),
});
export const ObservedKillInput = z.strictObject({
  ...aim,
  outputHolders: z
    .boolean()
    .optional()
    .describe('the second step: ends what keeps the output of a script open that has gone, and nothing else'),
});

export const ObservedTakeInput = z.strictObject({
  id: ObservedId,
  release: z.boolean().optional().describe('true = nobody is on it any more'),
});

export const ObservedLogInput = z.strictObject({
  id: ObservedId,
  from: z.int().min(0).optional().describe('byte offset; absent = the last 64 KB'),
  maxBytes: z.int().min(1_024).max(1_048_576).optional(),
});
export const ObservedLog = z.strictObject({
  path: z.string(),
  maskedBy: z.enum(['agent', 'nobody']),
  note: z.string(),
  next: z.int().describe('byte offset of what comes after'),
  lines: z.array(
    z.strictObject({
      stream: z.enum(['stdout', 'stderr', 'agent']),
      at: Time.nullable(),
      text: z.string(),
    }),
  ),
});

export const AgentsView = z.strictObject({
  observing: z.boolean(),
  agents: z.array(
    z.strictObject({
      key: z.string(),
      name: z.string(),
      pid: z.int(),
      process: z.string().describe('name of its program'),
      service: z.string().nullable(),
      scripts: z.int(),
      verbs: z.boolean().describe('false: shown only'),
      missing: z.string().nullable(),
    }),
  ),
  known: z.array(z.strictObject({ key: z.string(), name: z.string() })).describe('every agent that is looked for here'),
  queued: z.array(
    z.strictObject({
      id: z.string(),
      agent: z.string(),
      name: z.string(),
      mutex: z.string(),
      isolation: z.enum(isolationLevels),
      since: Time,
      behind: z.string().nullable().describe('id of the observed script that it waits for'),
    }),
  ),
  missing: z.string().nullable(),
});

const LockProcess = z.strictObject({
  pid: z.int(),
  name: z.string(),
  script: z.string().nullable().describe('ticket or id of the script that it belongs to'),
  job: z.string().nullable().describe('name of that script, where an agent runs it by itself'),
});

/** A lock of an agent or of the machine. Unjam never releases it. */
const ForeignLock = z.strictObject({
  name: z.string(),
  path: z.string(),
  kind: z.enum(['flock', 'fcntl', 'share-mode']),
  access: z.enum(['read', 'write']),
  holder: LockProcess,
  waiters: z.array(
    LockProcess.extend({
      seen: z.enum(['kernel', 'inferred']).describe('inferred: it is a program that waits by trying again'),
    }),
  ),
  freedBy: z.string(),
});

export const ForeignLocks = z.strictObject({
  locks: z.array(ForeignLock),
  missing: z.string().nullable().describe('what more rights or another system would show'),
});

export const Snapshot = s.Snapshot.extend({
  observed: z.array(ObservedView).optional().describe('absent where observing is switched off'),
});
