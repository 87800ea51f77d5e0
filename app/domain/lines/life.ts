/** Of starts, recovery after a restart, and ends that nobody asked for. */
import { clockTime } from '../durations.ts';
import type { ProcessIdentity } from '../identity.ts';
import { processes } from '../count.ts';
import {
  exitText,
  line,
  type Line,
  listed,
  type MutexFacts,
  processText,
  released,
  scriptsWait,
  stays,
} from './parts.ts';

export const leftRunning = (left: readonly ProcessIdentity[], m: MutexFacts | null, at: number): Line =>
  line(
    'I105',
    `The script exited and left ${processes(left.length)} running (${listed(left)}). Unjam does not end them; they count as started on purpose.`,
    released(m, at),
  );

/** Complete of a script that has left somebody who writes on. */
export const removedWhileWritten = (left: readonly ProcessIdentity[]): Line =>
  line(
    'W227',
    `The log is removed while ${left.length === 0 ? 'a process that Unjam cannot name' : `${processes(left.length)} (${listed(left)})`} still ${left.length > 1 ? 'have' : 'has'} the script’s output open.`,
    'What is written there from now on cannot be read any more, and takes space on the disk until its writer ends.',
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

/** `exit`: of a script that had exited; what is left of it then is its clean-up, or other processes. */
export const runnerDied = (root: ProcessIdentity, exit: Parameters<typeof exitText>[0], m: MutexFacts | null): Line =>
  line(
    'W304',
    exit === null
      ? `The runner of this script has died; ${processText(root)} is still running. Its exit code will never be known.`
      : `The runner of this script has died; ${processText(root)} had exited (${exitText(exit)}).`,
    stays(m),
    scriptsWait(m),
    exit === null ? 'Next: wait for its end, or Cancel, Force Kill or Abandon.' : null,
  );

export const startFailed = (why: string): Line => line('W106', `The script could not be started: ${why}.`);

export const outputLost = (): Line =>
  line(
    'W242',
    'The disk refused a part of the output; that part is missing from the log.',
    'Next: free space on the disk of the state directory.',
  );

/** While the script runs; `names` are of its run directory. */
export const filesRemoved = (names: readonly string[]): Line =>
  line(
    'W244',
    `Somebody had removed files of this script's run directory while it ran (${names.join(', ')}). They were made again; what the logs held before is lost.`,
    'Next: keep clean-up jobs away from the state directory.',
  );

export const endNotTold = (why: string): Line =>
  line('W251', `The end of the script could not be reported: ${why}. It will not be tried again.`);

export const cleanupDone = (after: string): Line =>
  line('I240', `The clean-up command finished with exit code 0 after ${after}.`);

/** Nobody is left to run it. */
export const cleanupNotRun = (why: string): Line =>
  line('W241', `The clean-up command was not run: ${why}. Next: clean up by hand.`);

export const cleanupFailed = (why: string, limit: string): Line =>
  line('W241', `The clean-up command failed: ${why} (limit ${limit}). Next: clean up by hand.`);

/** A host cleans up in place of a runner that died, and the script's variables went with that runner. */
export const cleanupWithoutEnvironment = (): Line =>
  line('W243', "The clean-up command runs with the host's environment: that of the script was lost with its runner.");
