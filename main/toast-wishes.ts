/** Which toasts a person wants, from the settings. */
import type { Settings } from '../app/contract/methods.ts';
import type { Wishes } from './notification-rules.ts';

export const usualWishes: Wishes = {
  stuck: true,
  unkillable: true,
  orphanExited: false,
  perMutexMs: 600_000,
  quiet: null,
};

/** The usual ones while no settings were read. */
export function wishesOf(s: Settings | null): Wishes {
  if (s === null) return usualWishes;
  return {
    stuck: s['notifications.stuck'],
    unkillable: s['notifications.unkillable'],
    orphanExited: s['notifications.orphanExited'],
    perMutexMs: s['notifications.minutesPerMutex'] * 60_000,
    quiet: s['notifications.quietHours']
      ? { from: minuteOf(s['notifications.quietFrom']), to: minuteOf(s['notifications.quietTo']) }
      : null,
  };
}

/** "22:30" */
function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
