/** What callers send about scripts and their mutexes. */
import { z } from 'zod';
import { limits } from '../domain/limits.ts';
import { resourceNames } from '../domain/resource-limits.ts';
import { cancelSignals, cleanupTimes, isolationLevels } from '../domain/script.ts';
import { Reason, Ticket } from './schemas.ts';

const milliseconds = (what: string) => z.int().min(limits.timeoutMinMs).max(limits.timeoutMaxMs).describe(what);

const Isolation = z.strictObject({
  level: z.enum(isolationLevels).describe('full = exclusive, none = shared'),
  mutex: z.string().describe('1 to 128 visible characters in one line'),
  timeoutMs: milliseconds('how long to wait for the mutex; null or absent = for ever').nullish(),
  inheritHold: z
    .boolean()
    .optional()
    .describe(
      'run under the hold of the script that this one is started from (UNJAM_RUN); else it would be a deadlock',
    ),
});

/** A NUL ends a text for the system: what stood behind it would be cut off. The value itself may be a secret. */
const systemText = z.string().refine((text) => !text.includes('\0'), 'a NUL character cannot be handed to a program');

export const StartInput = z.strictObject({
  ticket: Ticket.optional(),
  name: z.string().trim().min(1).max(limits.nameMax).optional(),
  command: z.array(systemText).min(1).max(10_000),
  cwd: systemText.min(1).optional().describe('full path; absent = the home of the host’s user'),
  environment: z
    .record(systemText.min(1), systemText)
    .optional()
    .describe('the whole environment; absent = the host’s'),
  maskEnv: z
    .array(systemText.min(1))
    .max(1_000)
    .optional()
    .describe(
      'variables of the script whose values Unjam hides in what it writes and shows; not in the script’s output',
    ),
  umask: z.int().min(0).max(0o777).optional().describe('as a number: 18 is 022; absent = 022. Linux'),
  niceness: z
    .int()
    .min(-20)
    .max(19)
    .optional()
    .describe('absent = 0; a host without root cannot give less than its own. Linux'),
  limits: z
    .partialRecord(
      z.enum(resourceNames),
      z.strictObject({ soft: z.int().min(0).nullable(), hard: z.int().min(0).nullable() }),
    )
    .optional()
    .describe(
      'resource limits (setrlimit(2)), null = unlimited; absent = the host’s. What it may not raise stays. Linux',
    ),
  stdin: z
    .strictObject({ path: z.string().startsWith('/'), offset: z.int().min(0).optional() })
    .optional()
    .describe(
      'what the script reads as its standard input: a file, or /proc/PID/fd/0 of its caller; absent = nothing. Linux',
    ),
  isolation: Isolation.optional(),
  timeoutMs: milliseconds('overall timeout').optional(),
  firstOutputTimeoutMs: milliseconds('ends a script that has written nothing this long after its launch').optional(),
  noOutputTimeoutMs: milliseconds('ends the script after this long without output').optional(),
  cancelSignal: z.enum(cancelSignals).optional(),
  graceMs: z.int().min(limits.graceMinMs).max(limits.graceMaxMs).optional(),
  notify: z
    .array(systemText)
    .min(1)
    .optional()
    .describe('what is told once when the script is final: a command, or one http address of this machine (a POST)'),
  cleanup: z
    .strictObject({
      command: z.array(systemText).min(1),
      timeoutMs: milliseconds('bound of the clean-up command; what it leaves is ended'),
      when: z
        .enum(cleanupTimes)
        .optional()
        .describe(
          'cancel (default) = after Cancel, Force Kill or a limit; failure = also after an exit code other than 0; always',
        ),
    })
    .optional()
    .describe('runs when the script’s processes have gone, before its mutex is released'),
  cancelWith: z
    .strictObject({ pid: z.int().positive(), startTime: z.string() })
    .optional()
    .describe('a process of this machine; when it has gone before the script has ended, the script is cancelled'),
  waitMs: z.int().min(0).max(60_000).optional().describe('answer only when the script is final, or after this long'),
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
export const EndProcessInput = z.strictObject({
  ticket: Ticket,
  process: z
    .strictObject({ pid: z.int().positive(), startTime: z.string() })
    .describe('of scripts.get; not the script itself'),
  reason: Reason.optional(),
});
export const TakeInput = z.strictObject({
  ticket: Ticket,
  release: z.boolean().optional().describe('true = nobody is on it any more'),
});
export const EvidenceReadInput = z.strictObject({
  ticket: Ticket,
  file: z.string().max(100),
  from: z.int().min(0).optional().describe('byte to begin at'),
});

const holdQueue = z.boolean().optional().describe('keep the mutex paused until it is resumed');
export const AbandonHoldInput = z.strictObject({
  ticket: Ticket.describe('of a holder that locks.list calls unsupervised'),
  reason: Reason.optional(),
  holdQueue,
});
export const AbandonInput = z.strictObject({
  ...target,
  holdQueue,
  confirmPid: z
    .int()
    .positive()
    .optional()
    .describe('the pid that the operator typed; required from a window or browser'),
});

export const FollowInput = z.strictObject({
  ticket: Ticket,
  since: z.string().max(200).optional().describe('the mark of an earlier answer; absent = answer at once'),
  waitMs: z
    .int()
    .min(0)
    .max(30_000)
    .optional()
    .describe('hold the answer until the mark is another one, or the script is final'),
});

export const DrillInput = z.strictObject({
  minutes: z.number().min(0.1).max(60).optional().describe('every script of it ends by itself after this; default 15'),
});
