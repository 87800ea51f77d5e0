/**
 * One tray per user: a second start shows the window of the first and ends. Which process hosts the scripts of the
 * machine is another question, and the application answers it.
 */
import type { App } from 'electron';
import { hiddenFlag, quitFlag } from './app-identity.ts';

/** False: another instance runs and was told, or there is nothing to end; this process must end at once. */
export function becomeTheOnlyInstance(
  app: Pick<App, 'requestSingleInstanceLock' | 'on' | 'quit'>,
  argv: readonly string[],
  show: () => void,
): boolean {
  const told: Told = { hidden: startsHidden(argv), quit: argv.includes(quitFlag) };
  if (!app.requestSingleInstanceLock(told) || told.quit) return false;
  app.on('second-instance', (_event, _argv, _cwd, data) => {
    // What another process sends is only data; an older version sends no `quit`.
    const { hidden = false, quit = false } = isRecord(data) ? data : {};
    if (quit === true) app.quit();
    // The sign-in start may come after a start by hand; it must not steal the focus then.
    else if (hidden !== true) show();
  });
  return true;
}

interface Told extends Record<string, unknown> {
  readonly hidden: boolean;
  /** The installer ends the tray so: it closes the application first, and asks nothing. */
  readonly quit: boolean;
}

/** The whole argument and nothing like it: an argument that merely contains the word must not hide the window. */
export function startsHidden(argv: readonly string[]): boolean {
  return argv.includes(hiddenFlag);
}

/**
 * The first argument that Chromium would take as a switch and Unjam does not know: `--gpu-launcher=…` runs a program,
 * `--remote-debugging-port` lets others into the page. `-Embedding` is how Windows starts the answer to a toast.
 */
export function foreignSwitch(argv: readonly string[]): string | null {
  const own = [hiddenFlag, quitFlag, '-Embedding', '-ToastActivated'];
  return argv.slice(1).find((argument) => /^[-/]/.test(argument) && !own.includes(argument)) ?? null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
