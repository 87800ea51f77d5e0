/** What the native confirmations say. Pure: fresh data in, text out. Wording: console.md decision 5, ui.md 3.4. */
import type { MessageBoxOptions } from 'electron';
import type { Parsed, ProcessView, ScriptDetail } from '../app/contract/methods.ts';
import { clockTime, shortDuration } from '../app/domain/durations.ts';
import { count, plain, spelledOut } from './plain-text.ts';

export type ConfirmText = Pick<MessageBoxOptions, 'title' | 'message' | 'detail' | 'buttons'>;

const goBack = 'Go back';
const shownProcesses = 12;

export function killText(script: ScriptDetail, reason: string | undefined, now: number): ConfirmText {
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
      '- No clean-up runs. Files may be half written.',
      '- What they started on other computers may go on.',
      script.holdsMutex &&
        script.mutex !== null &&
        `- "${plain(script.mutex)}" is released when all have gone${nextUp(script, now)}.`,
      triedLine(script),
      reason !== undefined && `Reason: ${plain(reason, 200)}`,
    ),
    buttons: [goBack, living === 0 ? 'Force Kill' : `End ${what}`],
  };
}

export function abandonText(
  script: ScriptDetail,
  asked: Pick<Parsed<'scripts.abandon'>, 'reason' | 'holdQueue'>,
): ConfirmText {
  const mutex = script.mutex === null ? 'no mutex' : `"${plain(script.mutex)}"`;
  const children = Math.max(0, script.processes.length - 1);
  const who = `PID ${script.pid ?? 'unknown'}${children === 0 ? '' : ` and ${count(children, 'child process', 'child processes')}`}`;
  return {
    title: 'Abandon',
    message: `Abandon "${plain(script.name)}"?`,
    detail: lines(
      `Unjam releases ${mutex} now. Nothing is ended.`,
      `- ${who} may keep running and keep changing files, services and databases.`,
      asked.holdQueue === true
        ? `- The queue is held: nothing starts under ${mutex} until somebody resumes it.`
        : next(script) !== null &&
            `- "${next(script)}" starts at once. Both may work on the same things at the same time.`,
      '- Output is still recorded until it exits.',
      '- This cannot be undone.',
      triedLine(script),
      asked.reason !== undefined && `Reason: ${plain(asked.reason, 200)}`,
    ),
    buttons: [goBack, 'Abandon'],
  };
}

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

function next(script: ScriptDetail): string | null {
  const first = script.waiters.toSorted((a, b) => a.position - b.position)[0];
  return first === undefined ? null : plain(first.name);
}

function nextUp(script: ScriptDetail, now: number): string {
  const first = script.waiters.toSorted((a, b) => a.position - b.position)[0];
  return first === undefined
    ? ''
    : `; then "${plain(first.name)}" (waits ${shortDuration(now - Date.parse(first.since))}) starts by itself`;
}

/** What was tried before, in words, from the script's own record. */
function triedLine(script: ScriptDetail): string {
  const cancels = script.attempts.filter((attempt) => attempt.what === 'cancel').length;
  const kills = script.attempts.filter((attempt) => attempt.what === 'kill').length;
  if (kills > 0) return 'Force Kill was tried and processes are left.';
  return cancels > 0 ? 'Cancel was tried and the script still runs.' : 'Cancel has not been tried.';
}

function lines(...all: readonly (string | false)[]): string {
  return all.filter((line) => line !== false && line !== '').join('\n');
}
