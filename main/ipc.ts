/**
 * The door for the page: one channel in (`rpc`). Only the console's own main frame is heard, and who calls is decided
 * here, not by the caller. No other file of main may name ipcMain.
 */
import type { IpcMain, IpcMainInvokeEvent } from 'electron';
import type { Caller, Dispatch } from '../app/contract/dispatcher.ts';
import type { Reply } from '../app/contract/methods.ts';
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
