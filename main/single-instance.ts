/**
 * One tray per user: a second start shows the window of the first and ends. Which process hosts the scripts of the
 * machine is another question, and the application answers it.
 */
import type { App } from 'electron';
import { hiddenFlag } from './app-identity.ts';

/** False: another instance runs and was told; this process must end at once. */
export function becomeTheOnlyInstance(
  app: Pick<App, 'requestSingleInstanceLock' | 'on'>,
  argv: readonly string[],
  show: () => void,
): boolean {
  if (!app.requestSingleInstanceLock({ hidden: startsHidden(argv) })) return false;
  app.on('second-instance', (_event, _argv, _cwd, data) => {
    // The sign-in start may come after a start by hand; it must not steal the focus then.
    if (!(isRecord(data) && data['hidden'] === true)) show();
  });
  return true;
}

/** The whole argument and nothing like it: an argument that merely contains the word must not hide the window. */
export function startsHidden(argv: readonly string[]): boolean {
  return argv.includes(hiddenFlag);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
