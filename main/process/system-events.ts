/** What the system tells of itself: the session ends, the machine sleeps and wakes. */
import type { BaseWindow, PowerMonitor } from 'electron';

/**
 * Hears that Windows ends the session. Electron sends that to windows only, and emits neither `before-quit` nor
 * `will-quit` then, so one window without a renderer stays for it. It never holds the shutdown back.
 */
export function watchSessionEnd(
  create: () => Pick<BaseWindow, 'on'>,
  parts: {
    readonly leave: () => void;
    readonly close: () => Promise<void>;
    readonly quit: () => void;
    readonly log: (line: string) => void;
  },
): Pick<BaseWindow, 'on'> {
  const listener = create();
  let ending = false;
  const end = (): void => {
    parts.leave();
    if (ending) return;
    ending = true;
    // An installer waits for the process itself to be gone.
    void parts.close().finally(parts.quit);
  };
  // Restart Manager and installers ask with `close-app`; hiding instead of closing would make them wait.
  listener.on('query-session-end', () => parts.leave());
  listener.on('session-end', (event) => {
    parts.log(`The session ends (${event.reasons.join(', ')}). Scripts of this session may end with it.`);
    end();
  });
  // Nobody sees this window, so nobody but an installer (assets/installer) or Exit itself closes it.
  listener.on('close', end);
  return listener;
}

/** Sleep is not silence: the application's clocks and the toasts are told about it. */
export function watchPower(
  monitor: Pick<PowerMonitor, 'on'>,
  parts: { readonly power: (what: 'suspend' | 'resume') => void; readonly resumed: () => void },
): void {
  monitor.on('suspend', () => parts.power('suspend'));
  monitor.on('resume', () => {
    parts.resumed();
    parts.power('resume');
  });
}
