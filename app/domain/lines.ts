/**
 * The lines that Unjam writes into script logs, journal and host log: stable code, past tense, only what was
 * observed. Each names actor, pid with start time, counts, mutex, how many wait, and the next step.
 */
import { clockTime, fineDuration, longDuration } from './durations.ts';
import type { Survivor } from './events.ts';
import type { ProcessIdentity } from './identity.ts';
import { redact } from './redact.ts';
import type { Actor } from './script.ts';

export interface Line {
  readonly code: string;
  readonly text: string;
}

/** What most lines need to know about the mutex at that moment. */
export interface MutexFacts {
  readonly name: string;
  /** How many scripts wait. */
  readonly waiting: number;
  /** The script that is or was granted next. */
  readonly next: string | null;
  /** A script under the same hold (--inherit-hold) that keeps the mutex when this one's hold ends. */
  readonly joint?: string | null;
}

const line = (code: string, ...sentences: (string | null)[]): Line => ({
  code,
  text: redact(sentences.filter((s) => s !== null).join(' ')), // before it reaches any disk
});

export const actorText = (actor: Actor): string => (actor.via === 'unjam' ? 'Unjam' : `${actor.user} (${actor.via})`);
const processText = (p: ProcessIdentity): string => `PID ${p.pid} (${p.name}, started ${clockTime(p.startedAt)})`;
const listed = (all: readonly ProcessIdentity[]): string => {
  const shown = all
    .slice(0, 20)
    .map((p) => `${p.pid} ${p.name}`)
    .join(', ');
  return all.length > 20 ? `${shown} and ${all.length - 20} more` : shown;
};
const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
const processes = (n: number): string => count(n, 'process', 'processes');
const scriptsWait = (m: MutexFacts | null): string | null =>
  m === null ? null : m.waiting === 1 ? '1 script waits.' : `${m.waiting} scripts wait.`;
const held = (m: MutexFacts | null, still = ''): string | null =>
  m === null ? null : `Mutex "${m.name}" is ${still}held.`;
const stays = (m: MutexFacts | null): string | null => (m === null ? null : `Mutex "${m.name}" stays held.`);
const released = (m: MutexFacts | null, at: number): string | null =>
  m === null
    ? null
    : m.joint
      ? `Its own hold of mutex "${m.name}" was given back ${clockTime(at)}; "${m.joint}" runs on under it, so the mutex stays held.`
      : `Mutex "${m.name}" released ${clockTime(at)}.${m.next === null ? ' Nobody waits for it.' : ` Next in line: "${m.next}".`}`;
const because = (reason: string | null): string => (reason === null ? '' : `, reason "${reason}"`);

export interface HolderFacts {
  readonly name: string;
  readonly ticket: string;
  readonly pid: number | null;
  readonly level: 'full' | 'none';
  readonly heldMs: number;
}
const holderText = (h: HolderFacts): string =>
  `"${h.name}" (ticket ${h.ticket}, ${h.pid === null ? 'not started yet' : `PID ${h.pid}`}, ${h.level === 'full' ? 'Full' : 'No'} isolation) for ${longDuration(h.heldMs)}`;

export const waiting = (
  mutex: string,
  holders: readonly HolderFacts[],
  position: number,
  of: number,
  paused: string | null,
): Line =>
  line(
    'I101',
    `Waiting for mutex "${mutex}".`,
    paused !== null
      ? `It is paused by ${paused}; an operator must resume it.`
      : holders.length === 0
        ? 'Its holder is just changing.'
        : `Held by ${holders.slice(0, 3).map(holderText).join(' and ')}${holders.length > 3 ? ` and ${holders.length - 3} more` : ''}.`,
    `Position ${position} of ${of}.`,
  );

/** In the log of a script that waits, once for each holder. */
export const holderStuck = (
  mutex: string,
  holder: { readonly name: string; readonly ticket: string; readonly pid: number | null },
  evidence: readonly string[],
  machine: string,
): Line =>
  line(
    'W102',
    `The holder of mutex "${mutex}", "${holder.name}" (ticket ${holder.ticket}, ${holder.pid === null ? 'not started yet' : `PID ${holder.pid}`}), looks stuck.`,
    ...evidence,
    `Next: an operator on ${machine} can Cancel, Force Kill or Abandon it in Unjam.`,
  );

export const acquired = (mutex: string, waitedMs: number, at: number): Line =>
  line('I103', `Mutex "${mutex}" acquired ${clockTime(at)} after waiting ${fineDuration(waitedMs)}.`);

export const inherited = (
  mutex: string,
  at: number,
  hold: { readonly name: string; readonly ticket: string; readonly fence: number },
): Line =>
  line(
    'W107',
    `Runs under the hold of "${hold.name}" (ticket ${hold.ticket}, fence ${hold.fence}) of mutex "${mutex}" since ${clockTime(at)}, as --inherit-hold asked.`,
    'The two are NOT isolated from each other, nor from others under that hold. The next in line is granted the mutex when all of them have gone.',
  );

/** Why a script is not started, for `startFailed`. */
export const wouldDeadlock = (mutex: string, holder: { readonly name: string; readonly ticket: string }): string =>
  `it was started by "${holder.name}" (ticket ${holder.ticket}), which holds mutex "${mutex}" and would wait for it: a deadlock`;
export const nothingToInherit = (mutex: string, level: 'full' | 'none'): string =>
  `--inherit-hold was given, but no script that it was started from holds mutex "${mutex}" ${level === 'full' ? 'at full isolation ' : ''}now`;

/** It exited, and the mutex is not free: null when it is. */
export const jointGoesOn = (m: MutexFacts | null, at: number): Line | undefined =>
  m?.joint ? line('I109', released(m, at), scriptsWait(m), 'Next: wait for that one.') : undefined;

/** In the log of the script that holds the mutex. */
export const startedDeadlock = (mutex: string, inner: { readonly name: string; readonly ticket: string }): Line =>
  line(
    'W108',
    `This script started "${inner.name}" (ticket ${inner.ticket}) under mutex "${mutex}", which this script holds: each would wait for the other. So that one was refused.`,
    'Next: start it with --inherit-hold, or without the mutex.',
  );

export const besideOrphan = (
  mutex: string,
  at: number,
  orphan: { name: string; ticket: string; process: ProcessIdentity | null },
): Line =>
  line(
    'W222',
    `Mutex "${mutex}" acquired ${clockTime(at)} while abandoned ${orphan.process === null ? 'script' : processText(orphan.process)} ("${orphan.name}", ticket ${orphan.ticket}) still runs.`,
    'The two are NOT isolated from each other.',
  );

export const gaveUpWaiting = (mutex: string, waitedMs: number, holders: readonly HolderFacts[]): Line =>
  line(
    'W104',
    `Gave up waiting for mutex "${mutex}" after ${longDuration(waitedMs)}.`,
    holders[0] ? `It is held by ${holderText(holders[0])}.` : null,
    'The script was never started. Next: look at the holder, or start again with a longer mutex timeout.',
  );

export const leftQueue = (
  mutex: string,
  actor: Actor,
  verb: 'Cancel' | 'Force Kill' | 'Abandon',
  at: number,
  reason: string | null,
): Line =>
  line(
    'W207',
    `${verb} requested by ${actorText(actor)} at ${clockTime(at)}${because(reason)}. The script left the queue of mutex "${mutex}" and was never started. No process had to be ended.`,
  );

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
      : `Mutex "${f.mutex.name}" stays held until ${f.total === 1 ? 'its process has' : `all ${f.total} processes have`} gone.`,
    scriptsWait(f.mutex),
    'Next: wait.',
  );

export const timedOut = (f: {
  timeout: 'overall' | 'no-output';
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
    f.timeout === 'overall'
      ? `Time limit reached at ${clockTime(f.at)}: the script ran for ${longDuration(f.limitMs)}.`
      : `Output limit reached at ${clockTime(f.at)}: no output for ${longDuration(f.limitMs)}.`,
    `Sent ${f.sent}, root ${processText(f.root)}. It has ${fineDuration(f.graceMs)} to exit; then Unjam ends what is left of ${processes(f.total)}.`,
    stays(f.mutex),
    scriptsWait(f.mutex),
    'Next: wait.',
  );

/** Before a limit ends a script: half of it is over. */
export const halfOfLimit = (timeout: 'overall' | 'no-output', limitMs: number): Line =>
  line(
    'W232',
    timeout === 'overall'
      ? `Half of the time limit is over: the script has run for ${fineDuration(limitMs / 2)} of ${fineDuration(limitMs)}.`
      : `No output for ${fineDuration(limitMs / 2)}: half of the output limit of ${fineDuration(limitMs)}.`,
    'At the limit it is cancelled.',
  );

/** A Force Kill that was decided on another process than the script's. */
export const killRefused = (
  actor: Actor,
  at: number,
  meant: { readonly pid: number },
  root: ProcessIdentity | null,
): Line =>
  line(
    'W216',
    `Force Kill requested by ${actorText(actor)} at ${clockTime(at)} was refused: it was meant for PID ${meant.pid} as somebody had seen it, and ${root === null ? 'the script has no process' : `the script's process is ${processText(root)}`}. Nothing was ended.`,
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
    `${processText(f.root)} exited ${fineDuration(f.afterMs)} after Cancel (${f.exit}). ${f.total} of ${processes(f.total)} have gone.`,
    released(f.mutex, f.at),
  );

export const childrenLeft = (root: ProcessIdentity, left: readonly ProcessIdentity[], m: MutexFacts | null): Line =>
  line(
    'W204',
    `${processText(root)} exited after Cancel, but ${processes(left.length)} of its tree still ${left.length === 1 ? 'runs' : 'run'} (${listed(left)}).`,
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
    `Cancel ignored: ${fineDuration(f.afterMs)} after Cancel ${f.left.length} of ${processes(f.of)} still run (${listed(f.left)}), root ${processText(f.root)}.`,
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
    `${verb} withdrawn: ${processText(root)} had already exited by itself at ${clockTime(endedAt)} (${exit}). Nothing was stopped.`,
  );

export const killRequested = (f: {
  actor: Actor;
  why: string;
  at: number;
  reason: string | null;
  root: ProcessIdentity;
  targets: readonly ProcessIdentity[];
  mutex: MutexFacts | null;
}): Line =>
  line(
    'W211',
    `Force Kill ${f.why} at ${clockTime(f.at)}${because(f.reason)}. Ending ${processes(f.targets.length)}: ${listed(f.targets)}; root ${processText(f.root)}.`,
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
    `Force Kill: ${f.total} of ${processes(f.total)} ended after ${fineDuration(f.afterMs)}; root ${processText(f.root)}, ${f.exit}, set by the kill and not by the script.`,
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
    'Next: wait, Unjam tries again.',
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

interface AbandonFacts {
  readonly actor: Actor;
  readonly at: number;
  readonly reason: string | null;
  readonly left: readonly ProcessIdentity[];
  readonly holdQueue: boolean;
}

export const abandoned = (f: AbandonFacts & { readonly mutex: MutexFacts | null }): Line =>
  line(
    'W221',
    `ABANDONED by ${actorText(f.actor)} at ${clockTime(f.at)}${because(f.reason)}.`,
    f.mutex === null ? 'The script held no mutex.' : releasedText(f.mutex),
    nothingEnded(f, 'the script'),
    'Output is still recorded until it exits. Result given to the caller: abandoned.',
    f.mutex && afterwards(f.mutex, f.holdQueue, 'Force Kill stays possible'),
  );

/** Of a command under `unjam hold`, which has no log and no supervisor. */
export const holdAbandoned = (
  f: AbandonFacts & { readonly name: string; readonly ticket: string; readonly mutex: MutexFacts },
): Line =>
  line(
    'W221',
    `The hold of "${f.name}" (ticket ${f.ticket}, by "unjam hold") was ABANDONED by ${actorText(f.actor)} at ${clockTime(f.at)}${because(f.reason)}.`,
    releasedText(f.mutex),
    nothingEnded(f, 'the command'),
    afterwards(f.mutex, f.holdQueue, 'end the command yourself; Unjam does not supervise it'),
  );

const releasedText = (mutex: MutexFacts): string =>
  mutex.joint
    ? `Unjam released its hold of mutex "${mutex.name}"; "${mutex.joint}", which runs under the same hold, still holds it.`
    : `Unjam released mutex "${mutex.name}".`;

const nothingEnded = ({ left, at }: AbandonFacts, whose: string): string =>
  left.length === 0
    ? `NOTHING WAS ENDED, and no process of ${whose} was found running at that moment.`
    : `NOTHING WAS ENDED: ${processes(left.length)} (${left.slice(0, 20).map(processText).join(', ')}) ${left.length === 1 ? 'was' : 'were'} running at ${clockTime(at)} and may still change files, services and databases.`;

const afterwards = (mutex: MutexFacts, holdQueue: boolean, next: string): string => {
  const resume = `unjam locks resume "${mutex.name}"`;
  if (mutex.joint)
    return `Nobody else is granted it before "${mutex.joint}" has gone. ${scriptsWait(mutex) ?? ''} Next: abandon that one too${holdQueue ? `, then ${resume}` : ''}.`;
  if (holdQueue) return `The queue is held: ${scriptsWait(mutex) ?? ''} Next: ${resume}.`;
  return mutex.next === null
    ? `Nobody waits for the mutex. Next: ${next}.`
    : `Next in line: "${mutex.next}"; it runs beside this process. ${scriptsWait(mutex) ?? ''} Next: ${next}.`;
};

export const orphanExited = (
  root: ProcessIdentity,
  at: number,
  abandonedAt: number,
  exit: string,
  bytes: number,
): Line =>
  line(
    'I224',
    `Orphan exited: ${processText(root)} and its tree had ended at ${clockTime(at)}, ${longDuration(at - abandonedAt)} after it was abandoned, ${exit}. It wrote ${count(bytes, 'byte')} of output after ${clockTime(abandonedAt)}; they are in the log.`,
  );

export const orphanLost = (root: ProcessIdentity): Line =>
  line(
    'W225',
    `Orphan lost: ${processText(root)} no longer exists. Its end and exit code are unknown, because its runner had died.`,
  );

export const leftRunning = (left: readonly ProcessIdentity[], m: MutexFacts | null, at: number): Line =>
  line(
    'I105',
    `The script exited and left ${processes(left.length)} running (${listed(left)}). Unjam does not end them; they count as started on purpose.`,
    released(m, at),
  );

export const recovered = (
  hostStartedAt: number,
  root: ProcessIdentity | null,
  ticket: string,
  mutex: string | null,
): Line =>
  line(
    'W301',
    `Recovered after restart: a new host started ${clockTime(hostStartedAt)}.`,
    root === null
      ? `The runner of ticket ${ticket} still waits.`
      : `${processText(root)} still matches ticket ${ticket}.`,
    mutex === null ? 'Nothing was lost.' : `Nothing was lost; its place at mutex "${mutex}" is unchanged.`,
  );

/** `stranger`: whose the script's pid is now. */
export const lost = (why: string, mutex: string | null, stranger: ProcessIdentity | null = null): Line =>
  line(
    stranger === null ? 'W302' : 'W303',
    `Lost: ${why}. The exit code is unknown.`,
    stranger === null
      ? null
      : `PID ${stranger.pid} belongs to another program now (${processText(stranger)}); it is not touched.`,
    mutex === null ? null : `Mutex "${mutex}" is released. Next: look at the log and at what the script left behind.`,
  );

export const runnerDied = (root: ProcessIdentity, m: MutexFacts | null): Line =>
  line(
    'W304',
    `The runner of this script has died; ${processText(root)} goes on. Its exit code cannot be learnt any more.`,
    stays(m),
    scriptsWait(m),
    'Next: wait for its end, or Cancel, Force Kill or Abandon.',
  );

export const startFailed = (why: string): Line => line('W106', `The script could not be started: ${why}.`);

export const resumed = (mutex: string, actor: Actor, at: number, next: string | null): Line =>
  line(
    'W226',
    `Queue of mutex "${mutex}" resumed by ${actorText(actor)} at ${clockTime(at)}. ${next === null ? 'Nobody waits.' : `Next in line: "${next}".`}`,
  );

export const workspaceKept = (folder: string, why: string): Line =>
  line('W223', `Could not delete "${folder}" after the abandon: ${why}. Unjam tries again when the orphan has ended.`);

export const killDisabled = (): Line =>
  line(
    'W217',
    'UNJAM_DEBUG_DISABLE_KILL is set: the kill was NOT sent. Nothing was ended. Next: unset it and start the host again.',
  );

/** `exit code 5`, `signal SIGKILL`, `exit code 3221225786 (0xC000013A)`. */
export function exitText(exit: { code: number | null; signal: string | null } | null): string {
  if (exit === null) return 'exit code unknown';
  if (exit.signal !== null) return `signal ${exit.signal}`;
  if (exit.code === null) return 'exit code unknown';
  return exit.code > 0xffff
    ? `exit code ${exit.code} (0x${exit.code.toString(16).toUpperCase()})`
    : `exit code ${exit.code}`;
}
