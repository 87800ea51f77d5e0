/** What every native question shares: one at a time, and fresh data while it is open. */
import type { BrowserWindow, Dialog, MessageBoxOptions } from 'electron';
import type { Caller, Dispatch } from '../../app/contract/dispatcher.ts';
import type { ObservedDetail, Reply, ScriptDetail, SettingsView } from '../../app/contract/methods.ts';
import { observedInFull } from '../../app/domain/observed-row.ts';
import type { Engine } from '../../app/host/engine.ts';
import type { ConfirmText } from './confirm-text.ts';
import { refuse } from './door.ts';

/** The rest between two questions, so that no pile of dialogs catches a hasty Enter. */
const restMs = 1_000;

export type OneQuestion = (work: () => Promise<Reply>) => Promise<Reply>;

/** What it returns refuses while another question is open or has just been answered. Share one between all askers. */
export function oneQuestion(now: () => number): OneQuestion {
  let open = false;
  let closedAt = -Infinity;
  return async (work) => {
    if (open || now() - closedAt < restMs)
      return refuse('not-possible', 'Another question is still open.', 'Answer it first.');
    open = true;
    try {
      return await work();
    } finally {
      open = false;
      closedAt = now();
    }
  };
}

/** Resolves with true only when a person pressed the named button. */
export const asker =
  (parts: { readonly dialog: Pick<Dialog, 'showMessageBox'>; readonly parent: () => BrowserWindow | null }) =>
  async (text: ConfirmText, signal = new AbortController().signal): Promise<boolean> => {
    const options: MessageBoxOptions = { type: 'warning', noLink: true, defaultId: 0, cancelId: 0, signal, ...text };
    const parent = parts.parent();
    const answer =
      parent === null ? await parts.dialog.showMessageBox(options) : await parts.dialog.showMessageBox(parent, options);
    return answer.response === 1 && !signal.aborted;
  };

/** Tells an open dialog about every snapshot, until the dialog is over. */
export function scriptWatch(engine: Pick<Engine, 'subscribe'>) {
  return (_ticket: string, changed: () => void, signal: AbortSignal): void => {
    const end = engine.subscribe(changed);
    signal.addEventListener('abort', end, { once: true });
  };
}

/** What the page decided on. */
export interface Asked {
  readonly version?: number | undefined;
  readonly process?: { readonly pid: number; readonly startTime: string } | undefined;
}

/** What a question is about: a script of Unjam, or one that an agent runs by itself. */
export type Kind = 'scripts' | 'observed';

export async function look(
  dispatch: Dispatch,
  ticket: string,
  caller: Caller,
  kind: Kind = 'scripts',
): Promise<Reply<ScriptDetail>> {
  if (kind === 'scripts') return (await dispatch('scripts.get', { ticket }, caller)) as Reply<ScriptDetail>;
  const reply = (await dispatch('observed.get', { id: ticket }, caller)) as Reply<ObservedDetail>;
  return reply.ok ? { ok: true, value: observedInFull(reply.value) } : reply;
}

/** The host refuses it as well; nobody is to press a button first that then does nothing. */
export async function wantsReason(dispatch: Dispatch, caller: Caller): Promise<boolean> {
  return (await settings(dispatch, caller))?.requireReason === true;
}

export async function savesEvidence(dispatch: Dispatch, caller: Caller): Promise<boolean> {
  return (await settings(dispatch, caller))?.evidenceBeforeEnd === true;
}

async function settings(dispatch: Dispatch, caller: Caller): Promise<SettingsView['values'] | null> {
  const reply = (await dispatch('settings.get', {}, caller)) as Reply<SettingsView>;
  return reply.ok ? reply.value.values : null;
}

export async function closeWhenGone(
  dispatch: Dispatch,
  shown: ScriptDetail,
  caller: Caller,
  gone: AbortController,
  kind: Kind,
): Promise<void> {
  const reply = await look(dispatch, shown.ticket, caller, kind);
  if (reply.ok ? reply.value.state === 'final' && !reply.value.orphan : reply.error.code === 'unknown-ticket')
    gone.abort();
}

/** The page decided on an older state. Asked here and not in the dispatcher, because main overwrites both fields. */
export function staleness(asked: Asked, script: ScriptDetail): (Reply & { ok: false }) | null {
  if (asked.version !== undefined && asked.version !== script.version)
    return refuse('stale-version', `"${script.name}" has changed since you looked.`, 'Look at it again, then decide.');
  if (
    asked.process !== undefined &&
    (asked.process.pid !== script.process?.pid || asked.process.startTime !== script.process.startTime)
  )
    return refuse(
      'other-process',
      `PID ${asked.process.pid} is not the process of "${script.name}".`,
      'Look at it again, then decide.',
    );
  return null;
}

/** Aimed at what the question showed, whatever the page had asked for. */
export const aimed = <I extends Asked>(input: I, script: ScriptDetail): I => ({
  ...input,
  ticket: script.ticket,
  version: script.version,
  ...processOf(script),
});

export const aimedAtObserved = <I extends Asked & { readonly id: string }>(input: I, script: ScriptDetail): I => ({
  ...input,
  id: script.ticket,
  ...processOf(script),
});

const processOf = ({ process }: ScriptDetail): Pick<Asked, 'process'> =>
  process === null ? {} : { process: { pid: process.pid, startTime: process.startTime } };

export const wentBack = (verb: string): Reply & { ok: false } =>
  refuse('not-confirmed', `${verb} was not confirmed. Nothing was done.`, 'Ask again when you are sure.');
