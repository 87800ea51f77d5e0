/** Is what the person is about to decide still what they saw when the dialog opened? Pure. */
import type { ScriptDetail, ScriptView, Verb } from '../contract.ts';

/** `null` = go on; otherwise why there is nothing to confirm any more. */
export function obstacle(
  verb: Verb,
  opened: ScriptView,
  now: ScriptView | null,
  detail: ScriptDetail | null,
  isLive: boolean,
): string | null {
  if (!isLive) return 'Unjam is unreachable. No action is possible until the console is connected again.';
  if (now === null) return `"${opened.name}" has been removed. There is nothing to end.`;
  if (isOver(now)) return ended(opened, now);
  if (isOtherProcess(opened, now))
    return `PID ${opened.process?.pid ?? ''} has exited. The script has another process now; go back and look at it.`;
  if (opened.state === 'queued' && now.state !== 'queued')
    return `"${opened.name}" has started in the meantime. Go back and decide again.`;
  const able = detail?.verbs[verb];
  if (able !== undefined && !able.possible) return able.text;
  return null;
}

const isOver = (view: ScriptView): boolean => view.state === 'final' && !view.orphan;

function isOtherProcess(opened: ScriptView, now: ScriptView): boolean {
  if (opened.process === null || now.process === null) return false;
  return opened.process.pid !== now.process.pid || opened.process.startTime !== now.process.startTime;
}

function ended(opened: ScriptView, now: ScriptView): string {
  const pid = opened.pid ?? now.pid;
  if (pid === null) return `"${now.name}" has left the queue. There is nothing to end.`;
  if (now.verdict === 'exited') return `PID ${pid} exited by itself. There is nothing to end.`;
  return `PID ${pid} has exited. There is nothing to end.`;
}
