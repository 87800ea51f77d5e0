/** Messages about time limits, Cancel, Force Kill and surviving processes. */
import { clockTime, fineDuration, longDuration } from '../durations.ts';
import type { Survivor } from '../events.ts';
import type { ProcessIdentity } from '../identity.ts';
import type { Actor, LimitKind } from '../script.ts';
import { processes } from '../count.ts';
import {
  actorText,
  because,
  held,
  line,
  type Line,
  listed,
  type MutexFacts,
  processText,
  released,
  scriptsWait,
  stays,
} from './parts.ts';

const allOf = (total: number): string =>
  total === 1 ? 'its process' : total === 2 ? 'both processes' : `all ${total} processes`;
const haveGone = (total: number): string => `${allOf(total)} ${total === 1 ? 'has' : 'have'} gone`;

export const cancelRequested = (f: {
  actor: Actor;
  at: number;
  reason: string | null;
  sent: string;
  root: ProcessIdentity;
  graceMs: number;
  escalate: boolean;
  total: number;
  mutex: MutexFacts | null;
}): Line =>
  line(
    'W201',
    `Cancel requested by ${actorText(f.actor)} at ${clockTime(f.at)}${because(f.reason)}. Sent ${f.sent}, root ${processText(f.root)}.`,
    `It has ${fineDuration(f.graceMs)} to exit; ${f.escalate ? 'then Unjam ends what is left' : 'nothing is forced after that'}.`,
    f.mutex === null
      ? `Its tree has ${processes(f.total)}.`
      : `Mutex "${f.mutex.name}" stays held until ${haveGone(f.total)}.`,
    scriptsWait(f.mutex),
    'Next: wait.',
  );

const limitReached: Record<LimitKind, (at: string, limit: string) => string> = {
  overall: (at, limit) => `Time limit reached at ${at}: the script ran for ${limit}.`,
  'first-output': (at, limit) => `First output limit reached at ${at}: the script wrote nothing in its first ${limit}.`,
  'no-output': (at, limit) => `Output limit reached at ${at}: no output for ${limit}.`,
};

export const timedOut = (f: {
  timeout: LimitKind;
  limitMs: number;
  at: number;
  sent: string;
  root: ProcessIdentity;
  graceMs: number;
  total: number;
  mutex: MutexFacts | null;
}): Line =>
  line(
    'W231',
    limitReached[f.timeout](clockTime(f.at), longDuration(f.limitMs)),
    `Sent ${f.sent}, root ${processText(f.root)}. It has ${fineDuration(f.graceMs)} to exit; then Unjam ends what is left of ${processes(f.total)}.`,
    stays(f.mutex),
    scriptsWait(f.mutex),
    'Next: wait.',
  );

/** Before a limit ends a script: half of it is over. */
export const halfOfLimit = (timeout: LimitKind, limitMs: number): Line =>
  line('W232', halfOver[timeout](fineDuration(limitMs / 2), fineDuration(limitMs)), 'At the limit it is cancelled.');

const halfOver: Record<LimitKind, (half: string, limit: string) => string> = {
  overall: (half, limit) => `Half of the time limit is over: the script has run for ${half} of ${limit}.`,
  'first-output': (half, limit) => `No output yet after ${half}: half of the first output limit of ${limit}.`,
  'no-output': (half, limit) => `No output for ${half}: half of the output limit of ${limit}.`,
};

/** A Force Kill that was decided on another process than the script's. */
export const killRefused = (
  actor: Actor,
  at: number,
  meant: { readonly pid: number },
  root: ProcessIdentity | null,
): Line =>
  line(
    'W216',
    `Force Kill requested by ${actorText(actor)} at ${clockTime(at)} was refused: it was meant for PID ${meant.pid}, but ${root === null ? 'the script has no process' : `the script's process is ${processText(root)}`}. Nothing was ended.`,
  );

export const cancelUndeliverable = (
  actor: Actor,
  at: number,
  root: ProcessIdentity,
  what: string,
  why: string,
  m: MutexFacts | null,
): Line =>
  line(
    'W202',
    `Cancel requested by ${actorText(actor)} at ${clockTime(at)} could not be delivered to ${processText(root)}: ${what}: ${why}. Nothing was stopped.`,
    stays(m),
    scriptsWait(m),
    'Next: Force Kill.',
  );

export const endedAfterCancel = (f: {
  root: ProcessIdentity;
  afterMs: number;
  exit: string;
  total: number;
  mutex: MutexFacts | null;
  at: number;
}): Line =>
  line(
    'I203',
    `${processText(f.root)} exited ${fineDuration(f.afterMs)} after Cancel (${f.exit}); ${haveGone(f.total)}.`,
    released(f.mutex, f.at),
  );

export const childrenLeft = (root: ProcessIdentity, left: readonly ProcessIdentity[], m: MutexFacts | null): Line =>
  line(
    'W204',
    `${processText(root)} exited after Cancel, but ${processes(left.length)} of its tree ${left.length === 1 ? 'is' : 'are'} still running (${listed(left)}).`,
    stays(m),
    scriptsWait(m),
    'Next: Force Kill.',
  );

export const cancelIgnored = (f: {
  afterMs: number;
  root: ProcessIdentity;
  left: readonly ProcessIdentity[];
  of: number;
  mutex: MutexFacts | null;
}): Line =>
  line(
    'W205',
    `Cancel ignored: ${fineDuration(f.afterMs)} after Cancel ${f.left.length} of ${processes(f.of)} ${f.of === 1 ? 'is' : 'are'} still running (${listed(f.left)}), root ${processText(f.root)}.`,
    held(f.mutex, 'still '),
    scriptsWait(f.mutex),
    'Next: Force Kill.',
  );

export const cancelTooLate = (
  verb: 'Cancel' | 'Force Kill',
  root: ProcessIdentity,
  endedAt: number,
  exit: string,
): Line =>
  line(
    'W206',
    `${verb} not needed: ${processText(root)} had already exited by itself at ${clockTime(endedAt)} (${exit}). Nothing was stopped.`,
  );

export const cancelOvertaken = (actor: Actor): Line =>
  line(
    'W208',
    `Cancel requested by ${actorText(actor)} was overtaken: Force Kill began while its signal was being sent.`,
  );

/** A request that reached a script after its last moment. */
export const requestTooLate = (verb: 'Cancel' | 'Force Kill', root: ProcessIdentity | null): Line =>
  line(
    'W206',
    `${verb} not needed: ${root === null ? 'the script' : processText(root)} had already ended. Nothing was stopped.`,
  );

/** `why`: when nobody asked for it by name. */
export const killRequested = (f: {
  actor: Actor;
  why: string | null;
  at: number;
  reason: string | null;
  root: ProcessIdentity;
  targets: readonly ProcessIdentity[];
  mutex: MutexFacts | null;
}): Line =>
  line(
    'W211',
    `Force Kill ${f.actor.via === 'unjam' ? 'by Unjam' : `requested by ${actorText(f.actor)}`} at ${clockTime(f.at)}${f.why === null ? '' : ` ${f.why}`}${because(f.reason)}. Ending ${processes(f.targets.length)}: ${listed(f.targets)}; root ${processText(f.root)}.`,
    'They get no chance to clean up: files may be half written, "finally" blocks do not run.',
    f.mutex === null ? null : `Mutex "${f.mutex.name}" stays held until they have gone.`,
    scriptsWait(f.mutex),
    'Next: wait for the proof.',
  );

export const killed = (f: {
  total: number;
  afterMs: number;
  root: ProcessIdentity;
  exit: string;
  mutex: MutexFacts | null;
  at: number;
}): Line =>
  line(
    'I212',
    `Force Kill: ${allOf(f.total)} ended after ${fineDuration(f.afterMs)}; root ${processText(f.root)}, ${f.exit} (from Unjam, not from the script).`,
    released(f.mutex, f.at),
  );

export const killIncomplete = (
  survivors: readonly ProcessIdentity[],
  total: number,
  afterMs: number,
  m: MutexFacts | null,
): Line =>
  line(
    'W213',
    `Force Kill: ${total - survivors.length} of ${processes(total)} ended. ${survivors.map(processText).join(', ')} still ${survivors.length === 1 ? 'exists' : 'exist'} after ${fineDuration(afterMs)}.`,
    stays(m),
    scriptsWait(m),
    'Next: wait, Unjam sends the kill again every second.',
  );

const survivorText = (s: Survivor): string => {
  switch (s.reason) {
    case 'access':
      return `The system refused to end ${processText(s.process)}: ${s.detail}.`;
    case 'protected':
      return `${processText(s.process)} is a protected process: ${s.detail}.`;
    case 'kernel':
      return `The system accepted the request to end ${processText(s.process)}, but it waits inside a kernel call and still exists: ${s.detail}. It goes when that call returns; a driver or file system usually holds such a call, Unjam cannot tell which.`;
    case 'stopped':
    case 'pending':
      return `The system accepted the request to end ${processText(s.process)}, but it still exists: ${s.detail}.`;
    case 'other':
      return `${processText(s.process)} could not be ended: ${s.detail}.`;
  }
};

export const unkillable = (
  survivors: readonly Survivor[],
  total: number,
  afterMs: number,
  elevated: boolean,
  m: MutexFacts | null,
): Line => {
  const access = survivors.every((s) => s.reason === 'access');
  return line(
    access ? 'W215' : 'W214',
    `Unkillable: ${survivors.length} of ${processes(total)} still ${survivors.length === 1 ? 'exists' : 'exist'} ${fineDuration(afterMs)} after Force Kill.`,
    ...survivors.slice(0, 5).map(survivorText),
    survivors.length > 5 ? `${survivors.length - 5} more.` : null,
    access && !elevated ? 'Unjam runs without administrator rights.' : null,
    held(m, 'still '),
    scriptsWait(m),
    access && !elevated ? 'Next: restart Unjam as administrator, or Abandon.' : 'Next: Abandon.',
  );
};

export const killDisabled = (): Line =>
  line(
    'W217',
    'UNJAM_DEBUG_DISABLE_KILL is set: the kill was NOT sent. Nothing was ended. Next: unset it and start the host again.',
  );

/** Said once for each message; the next beat tries again. */
export const lifecycleProblem = (message: string): Line =>
  line('W299', `Unjam ran into an error while watching or ending this script: ${message}. It will try again.`);

/** Of a script that is over: what it had left running was ended on request. */
export const leftoversKilled = (total: number, afterMs: number, root: ProcessIdentity): Line =>
  line(
    'I218',
    `Force Kill: ${processes(total)} that the script had left running ended after ${fineDuration(afterMs)}; its root was ${processText(root)}. The verdict stays.`,
  );
