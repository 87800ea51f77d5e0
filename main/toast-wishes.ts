/** Which toasts a person wants, from the settings. */
import type { Settings } from '../app/contract/methods.ts';
import type { Wishes } from './notification-rules.ts';

/** The defaults as long as no settings have been read. */
export function wishesOf(s: Settings | null): Wishes {
  return { stuck: s?.['notifications.stuck'] ?? true, orphanExited: s?.['notifications.orphanExited'] ?? false };
}
