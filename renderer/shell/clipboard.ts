/** Copies text and says so, because nothing else on screen changes. */
import type { Announcer } from '../state/announcer.svelte.ts';

export async function copyText(text: string, what: string, announcer: Announcer): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    announcer.warn(`${what} copied.`);
    return true;
  } catch {
    announcer.warn(`${what} could not be copied: the clipboard is not available.`);
    return false;
  }
}
