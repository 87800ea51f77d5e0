/** Sleep is not silence: the application's clocks and the toasts are told about it. */
import type { PowerMonitor } from 'electron';

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
