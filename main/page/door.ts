/**
 * The door for the page: one channel in (`rpc`). Only the console's own main frame is heard, and who calls is decided
 * here, not by the caller. No other file of main may name ipcMain.
 */
import type { IpcMain, IpcMainInvokeEvent, Shell } from 'electron';
import type { Caller, Dispatch } from '../../app/contract/dispatcher.ts';
import { type ErrorCode, wrongField } from '../../app/contract/errors.ts';
import type { Reply } from '../../app/contract/methods.ts';
import { windowMethods, type WindowMethod, type WindowParsed, type WindowOutput } from '../../app/contract/window.ts';
import { consoleOrigin, isConsoleUrl } from './protocol.ts';

export interface RpcDoor {
  readonly ipcMain: Pick<IpcMain, 'handle'>;
  /** Ids of the webContents of our own windows; empty while there is none. */
  readonly pages: () => readonly number[];
  /** Already guarded: what it gets from the page it must not trust. */
  readonly dispatch: Dispatch;
  readonly user: string;
  readonly log: (line: string) => void;
}

export function openRpcDoor(door: RpcDoor): void {
  const caller: Caller = { user: door.user, via: 'window', role: 'owner' };
  const told = new Set<string>();
  door.ipcMain.handle('rpc', async (event, method: unknown, input: unknown): Promise<Reply> => {
    const problem = senderProblem(event, door.pages());
    if (problem !== null) {
      // Each problem once: a page that floods the door must not flood the log.
      if (!told.has(problem)) door.log(`Refused a call from a page: ${problem}.`);
      told.add(problem);
      return refused('unauthorized', 'This page may not call Unjam.');
    }
    if (typeof method !== 'string') return refused('unknown-method', 'A call without a method name.');
    return door.dispatch(method, input, caller);
  });
}

/**
 * Why this sender is not a page of ours, or null when it is. `senderFrame` is null once the frame has navigated or gone,
 * and its properties may throw then: both are refusals.
 */
function senderProblem(
  event: Pick<IpcMainInvokeEvent, 'sender' | 'senderFrame'>,
  pages: readonly number[],
): string | null {
  if (pages.length === 0) return 'there is no window';
  try {
    const frame = event.senderFrame;
    if (!pages.includes(event.sender.id)) return 'it is not the console';
    if (frame === null) return 'its frame is gone';
    if (frame.parent !== null) return 'it is not the main frame';
    if (frame.origin !== consoleOrigin || !isConsoleUrl(frame.url)) return 'it comes from another origin';
    return null;
  } catch {
    return 'its frame is gone';
  }
}

function refused(code: 'unauthorized' | 'unknown-method', message: string): Reply {
  return { ok: false, error: { code, message, next: 'Nothing was done. Close and reopen the window.' } };
}

/** What the page asks of its windows and not of the host: behind the same door, and with a schema as well. */
export type WindowHandlers = {
  readonly [M in WindowMethod]: (input: WindowParsed<M>, caller: Caller) => Promise<Reply> | Reply;
};

/** `dispatch` gets every other method. */
export function withWindowMethods(dispatch: Dispatch, handlers: WindowHandlers): Dispatch {
  return async (method, raw, caller) => {
    if (!isWindowMethod(method)) return dispatch(method, raw, caller);
    const parsed = windowMethods[method].input.safeParse(raw ?? {});
    if (!parsed.success) {
      const { field, why } = wrongField(parsed.error.issues);
      return refuse('bad-input', `"${method}": "${field}": ${why}.`, 'Reload the console.', field);
    }
    const handler = handlers[method] as (input: unknown, caller: Caller) => Promise<Reply> | Reply;
    return handler(parsed.data, caller);
  };
}

function isWindowMethod(name: string): name is WindowMethod {
  return Object.hasOwn(windowMethods, name);
}

/** An answer of main itself, in the form of the application's. `field` is the field of the input that is wrong, when one is. */
export function refuse(code: ErrorCode, message: string, next: string, field?: string): Reply & { readonly ok: false } {
  return { ok: false, error: { code, message, next, ...(field === undefined ? {} : { field }) } };
}

/** A double-click opens one window, and a page that asks for ever no more than one in this time. */
const openRestMs = 2_000;

/** Shows the state directory in the file manager. Which folder that is main knows by itself: the page names none. */
export function folderOpener(
  shell: Pick<Shell, 'openPath'>,
  stateDirectory: string,
  now: () => number,
): () => Promise<Reply> {
  const open = async (): Promise<Reply> => {
    const error = await shell.openPath(stateDirectory);
    const text = error === '' ? '' : `${stateDirectory} could not be shown: ${error.replace(/\.$/, '')}.`;
    return { ok: true, value: { text } satisfies WindowOutput<'window.openFolder'> };
  };
  let openedAt = -Infinity;
  let answer: Promise<Reply>;
  return () => {
    if (now() - openedAt >= openRestMs) {
      openedAt = now();
      answer = open();
    }
    return answer;
  };
}
