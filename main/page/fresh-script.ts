/** A script as it is now, before and while a native question about it is asked. */
import type { Caller, Dispatch } from '../../app/contract/dispatcher.ts';
import type { Reply, ScriptDetail, SettingsView } from '../../app/contract/methods.ts';
import { refuse } from './door.ts';

/** What the page decided on. */
export interface Asked {
  readonly version?: number | undefined;
  readonly process?: { readonly pid: number; readonly startTime: string } | undefined;
}

export const look = async (dispatch: Dispatch, ticket: string, caller: Caller) =>
  (await dispatch('scripts.get', { ticket }, caller)) as Reply<ScriptDetail>;

/** The host refuses it as well; nobody is to press a button first that then does nothing. */
export async function wantsReason(dispatch: Dispatch, caller: Caller): Promise<boolean> {
  const reply = (await dispatch('settings.get', {}, caller)) as Reply<SettingsView>;
  return reply.ok && reply.value.values.requireReason;
}

export async function closeWhenGone(
  dispatch: Dispatch,
  shown: ScriptDetail,
  caller: Caller,
  gone: AbortController,
): Promise<void> {
  const reply = await look(dispatch, shown.ticket, caller);
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
