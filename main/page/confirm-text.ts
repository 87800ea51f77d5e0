/** The texts of the native questions. Pure: fresh data in, text out. */
import type { MessageBoxOptions } from 'electron';
import type { MutexView, Parsed, ProcessView, ScriptDetail } from '../../app/contract/methods.ts';
import { clockTime, shortDuration } from '../../app/domain/durations.ts';
import { count } from '../../app/domain/count.ts';
import { plain, spelledOut } from '../../app/domain/visible.ts';

export type ConfirmText = Pick<MessageBoxOptions, 'title' | 'message' | 'detail' | 'buttons'>;

const goBack = 'Go back';
export const evidenceFirst = 'Evidence is saved first, which takes 2 s at most.';
const shownProcesses = 12;
const shownScripts = 15;
const noteMax = 400;

/** `note` says what is special about it. */
export function killText(script: ScriptDetail, reason: string | undefined, now: number, note = ''): ConfirmText {
  const living = script.processes.length;
  const what = living === 0 ? 'the processes of this script' : count(living, 'process', 'processes');
  return {
    title: 'Force Kill',
    message: `Force Kill "${plain(script.name)}"?`,
    detail: lines(
      living === 0
        ? 'Ends every process of this script at once.'
        : `Ends ${living === 1 ? 'this process' : `these ${what}`} at once:`,
      ...processLines(script.processes),
      note !== '' && `- ${plain(note, noteMax)}`,
      '- No clean-up runs. Files may be half written.',
      '- What they started on other computers may keep running.',
      script.holdsMutex &&
        script.mutex !== null &&
        `- "${plain(script.mutex)}" is released when all of them have ended${nextUp(script, now)}.`,
      triedLine(script),
      reasonLine(reason),
    ),
    buttons: [goBack, living === 0 ? 'Force Kill' : `End ${what}`],
  };
}

export function endProcessText(script: ScriptDetail, process: ProcessView, reason: string | undefined): ConfirmText {
  return {
    title: 'End this process',
    message: `End PID ${process.pid} of "${plain(script.name)}"?`,
    detail: lines(
      ...processLines([process]),
      '- Only this process ends. The rest of the script keeps running, and may clean up or do more work.',
      '- Files that it was writing may be half written.',
      reasonLine(reason),
    ),
    buttons: [goBack, 'End this process'],
  };
}

export function cancelText(script: ScriptDetail, asked: Parsed<'scripts.cancel'>, now: number, note = ''): ConfirmText {
  const name = plain(script.name);
  if (script.state === 'queued')
    return {
      title: 'Cancel',
      message: `Remove "${name}" from the queue?`,
      detail: lines('It has not started, so nothing needs to be ended. It will not run.', reasonLine(asked.reason)),
      buttons: [goBack, 'Remove from queue'],
    };
  const grace = shortDuration(asked.graceMs ?? script.graceMs);
  return {
    title: 'Cancel',
    message: `Cancel "${name}"?`,
    detail: lines(
      `Unjam asks PID ${script.pid ?? 'unknown'} to stop. It has ${grace} to exit and may clean up. Nothing is forced after that.`,
      script.holdsMutex &&
        script.mutex !== null &&
        `- "${plain(script.mutex)}" stays held until all its processes have ended${nextUp(script, now)}.`,
      note !== '' && `- ${plain(note, noteMax)}`,
      '- The deployment stays half done. Unjam does not undo its changes.',
      !script.stuck &&
        script.lastOutputAt !== null &&
        `This script does not look stuck: its last output is ${shortDuration(now - Date.parse(script.lastOutputAt))} old.`,
      reasonLine(asked.reason),
    ),
    buttons: [goBack, 'Cancel script'],
  };
}

export function cancelManyText(scripts: readonly ScriptDetail[], reason: string | undefined): ConfirmText {
  const more = scripts.length - shownScripts;
  return {
    title: 'Cancel',
    message: `Cancel ${count(scripts.length, 'script')}?`,
    detail: lines(
      'Unjam asks each of them to stop. Nothing is forced. Those in a queue leave it and will not run.',
      ...scripts
        .slice(0, shownScripts)
        .map((s) => `- ${plain(s.name, 60)}, ${s.pid === null ? 'not started' : `PID ${s.pid}`}`),
      more > 0 && `- and ${more} more`,
      reasonLine(reason),
    ),
    buttons: [goBack, `Cancel ${count(scripts.length, 'script')}`],
  };
}

export function abandonText(
  script: ScriptDetail,
  asked: Pick<Parsed<'scripts.abandon'>, 'reason' | 'holdQueue'>,
  note = '',
): ConfirmText {
  const mutex = script.mutex === null ? 'no mutex' : `"${plain(script.mutex)}"`;
  const children = Math.max(0, script.processes.length - 1);
  const who = `PID ${script.pid ?? 'unknown'}${children === 0 ? '' : ` and ${count(children, 'child process', 'child processes')}`}`;
  return {
    title: 'Abandon',
    message: `Abandon "${plain(script.name)}"?`,
    detail: lines(
      `Unjam releases ${mutex} now. Nothing is ended.`,
      note !== '' && note,
      `- ${who} may keep running and keep changing files, services and databases.`,
      asked.holdQueue === true
        ? `- The queue is paused: nothing starts under ${mutex} until somebody resumes it.`
        : firstWaiter(script) !== null &&
            `- "${firstWaiter(script)}" starts at once. Both may work on the same things at the same time.`,
      '- Its output is still recorded until it exits.',
      '- This cannot be undone.',
      triedLine(script),
      reasonLine(asked.reason),
    ),
    buttons: [goBack, 'Abandon'],
  };
}

export const endingText = (
  verb: 'kill' | 'abandon',
  script: ScriptDetail,
  asked: Pick<Parsed<'scripts.abandon'>, 'reason' | 'holdQueue'>,
  now: number,
  note: string,
): ConfirmText => (verb === 'kill' ? killText(script, asked.reason, now, note) : abandonText(script, asked, note));

export function resumeText(mutex: MutexView): ConfirmText {
  const next = mutex.waiters.toSorted((a, b) => a.position - b.position)[0];
  return {
    title: 'Resume the queue',
    message: `Resume the queue of "${plain(mutex.name)}"?`,
    detail: lines(
      next === undefined ? 'Nothing is waiting now.' : `"${plain(next.name)}" starts at once.`,
      mutex.orphans.length > 0 &&
        `- ${count(mutex.orphans.length, 'abandoned script is', 'abandoned scripts are')} still running and may work on the same things.`,
    ),
    buttons: [goBack, 'Resume'],
  };
}

export function completeText(script: ScriptDetail): ConfirmText {
  return {
    title: 'Delete the log',
    message: `Delete the log of "${plain(script.name)}"?`,
    detail: 'Its log files and its run directory are deleted. The history keeps its entries.',
    buttons: [goBack, 'Delete'],
  };
}

export function settingsText(weakenings: readonly string[]): ConfirmText {
  return {
    title: 'Settings',
    message: weakenings.length === 1 ? 'Change this setting?' : `Change these ${weakenings.length} settings?`,
    detail: lines(...weakenings.map((sentence) => `- ${sentence}`)),
    buttons: [goBack, 'Change'],
  };
}

export const signInText = (): ConfirmText => ({
  title: 'Settings',
  message: 'Change this setting?',
  detail: '- Unjam does not start when you sign in: nobody is notified of a stuck script until you start it.',
  buttons: [goBack, 'Change'],
});

/** Null when the request is too long to be read in a dialog: nobody may approve what nobody can see. */
export function startText(asked: Parsed<'scripts.start'>, machine: string): ConfirmText | null {
  const detail = lines(
    commandLine(asked.command),
    asked.cwd !== undefined && `Folder: ${spelledOut(asked.cwd)}`,
    asked.isolation !== undefined &&
      `Mutex: "${plain(asked.isolation.mutex)}", ${asked.isolation.level === 'full' ? 'full isolation' : 'shared'}`,
    asked.notify !== undefined && `Afterwards: ${commandLine(asked.notify)}`,
    asked.cleanup !== undefined && `Clean-up: ${commandLine(asked.cleanup.command)}`,
    asked.environment !== undefined &&
      `Environment: ${Object.entries(asked.environment)
        .map(([name, value]) => `${spelledOut(name)}=${spelledOut(value)}`)
        .join(' ')}`,
  );
  if (detail.length > 2000) return null;
  return { title: 'Run script', message: `Run this command on ${plain(machine)}?`, detail, buttons: [goBack, 'Run'] };
}

/** Enclosed in ‹ › where a blank or nothing would hide where an argument ends. */
function commandLine(command: readonly string[]): string {
  return command.map((word) => (/^[^\s‹›]+$/u.test(word) ? spelledOut(word) : `‹${spelledOut(word)}›`)).join(' ');
}

function processLines(processes: readonly ProcessView[]): string[] {
  const shown = processes
    .slice(0, shownProcesses)
    .map((p) => `    ${p.pid} ${plain(p.name, 40)}  started ${clockTime(Date.parse(p.startedAt))}`);
  const more = processes.length - shown.length;
  return more > 0 ? [...shown, `    and ${more} more`] : shown;
}

function firstWaiter(script: ScriptDetail): string | null {
  const first = script.waiters.toSorted((a, b) => a.position - b.position)[0];
  return first === undefined ? null : plain(first.name);
}

function nextUp(script: ScriptDetail, now: number): string {
  const first = script.waiters.toSorted((a, b) => a.position - b.position)[0];
  return first === undefined
    ? ''
    : `; then "${plain(first.name)}" starts (it has been waiting for ${shortDuration(now - Date.parse(first.since))})`;
}

/** What was tried before, from the script's own record. */
function triedLine(script: ScriptDetail): string {
  const cancels = script.attempts.filter((attempt) => attempt.what === 'cancel').length;
  const kills = script.attempts.filter((attempt) => attempt.what === 'kill').length;
  if (kills > 0) return 'Force Kill was tried and processes are left.';
  return cancels > 0 ? 'Cancel was tried and the script is still running.' : 'Cancel has not been tried.';
}

const reasonLine = (reason: string | undefined): string | false =>
  reason !== undefined && `Reason: ${plain(reason, 200)}`;

function lines(...all: readonly (string | false)[]): string {
  return all.filter((line) => line !== false && line !== '').join('\n');
}
