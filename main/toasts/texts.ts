/** The texts of the toasts: what happened, its impact and the next step, in two lines. Pure. */
import type { MutexView, ObservedView, ScriptView } from '../../app/contract/methods.ts';
import { shortDuration } from '../../app/domain/durations.ts';
import { count } from '../../app/domain/count.ts';
import { plain } from '../../app/domain/visible.ts';

/** 1 stuck, 2 Cancel ignored, 3 unkillable. */
export type Level = 1 | 2 | 3;

/** No button here ends or releases anything: a toast can lie in the Action Center for hours while pids are reused. */
export type ToastButton = 'show' | 'cancel';

export interface Toast {
  /** The same id replaces the toast before it. */
  readonly id: string;
  /** The script that the buttons open; null opens the list. */
  readonly ticket: string | null;
  readonly title: string;
  readonly body: string;
  readonly buttons: readonly ToastButton[];
  readonly silent: boolean;
  /** Stays on screen until somebody answers. */
  readonly stays: boolean;
  readonly leavesAfterMs: number | null;
}

export const buttonTexts: Readonly<Record<ToastButton, string>> = {
  show: 'Show',
  cancel: 'Cancel…',
};

export function scriptToast(script: ScriptView, mutex: MutexView, level: Level, now: number): Toast {
  const name = `"${plain(script.name, 60)}"`;
  const lock = `"${plain(mutex.name, 60)}"`;
  const waits = `${count(script.blocks, 'script')} ${script.blocks === 1 ? 'is' : 'are'} waiting`;
  const pid = script.pid === null ? '' : ` (PID ${script.pid})`;
  const common = { id: script.ticket, ticket: script.ticket, leavesAfterMs: null };
  switch (level) {
    case 1: {
      const silence =
        script.lastOutputAt === null
          ? 'No output yet.'
          : `No output for ${shortDuration(now - Date.parse(script.lastOutputAt))}.`;
      return {
        ...common,
        title: `Stuck script blocks ${count(script.blocks, 'script')}`,
        body: `${name}${pid} holds ${lock}. ${silence}`,
        buttons: ['show', 'cancel'],
        silent: false,
        stays: true,
      };
    }
    case 2:
      return {
        ...common,
        title: 'Cancel was ignored',
        body: `${name}${pid} still holds ${lock}. ${waits}. Next: Force Kill.`,
        buttons: ['show'],
        silent: true,
        stays: false,
      };
    case 3:
      return {
        ...common,
        title: script.pid === null ? 'A script cannot be ended' : `PID ${script.pid} cannot be ended`,
        body: `${name} still holds ${lock}. ${waits}. Next: ${script.condition.next === 'abandon' ? 'Abandon' : 'look at the reason'}.`,
        buttons: ['show'],
        silent: false,
        stays: true,
      };
  }
}

/** Its mutex is the agent's, so it says how it stands instead of what it holds. */
export function observedToast(script: ObservedView, level: Level): Toast {
  const agent = plain(script.agent.name, 60);
  return {
    id: script.id,
    ticket: script.id,
    title: script.leftBehind ? `${agent} has left a script behind` : `Stuck script of ${agent}`,
    body: `"${plain(script.name, 60)}": ${plain(script.condition.headline, 120)}`,
    buttons: ['show'],
    silent: level === 2,
    stays: level !== 2,
    leavesAfterMs: null,
  };
}

export function releasedToast(ticket: string, mutexName: string, mutex: MutexView | undefined): Toast {
  const next = mutex?.holders[0];
  const held = mutex?.paused === true ? 'Its queue is paused until somebody resumes it.' : 'Nothing is waiting for it.';
  return {
    id: ticket,
    ticket,
    title: `"${plain(mutexName, 60)}" is free again`,
    body: next === undefined ? held : `"${plain(next.name, 60)}" has started.`,
    buttons: ['show'],
    silent: true,
    stays: false,
    leavesAfterMs: 5_000,
  };
}

export function orphanExitedToast(script: ScriptView): Toast {
  return {
    id: `${script.ticket}-exited`,
    ticket: script.ticket,
    title: 'An abandoned script has ended',
    body: `"${plain(script.name, 60)}": ${plain(script.condition.headline, 120)}`,
    buttons: ['show'],
    silent: true,
    stays: false,
    leavesAfterMs: null,
  };
}

export const testToast: Toast = {
  id: 'unjam-test',
  ticket: null,
  title: 'This is a test',
  body: 'Notifications from Unjam arrive here. Nothing is stuck.',
  buttons: ['show'],
  silent: false,
  stays: false,
  leavesAfterMs: null,
};
