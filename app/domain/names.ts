/** What a ticket and a mutex may be called. A ticket is the name of a folder, on NTFS too; a mutex has any name in one line. */
import { limits } from './limits.ts';

const reserved = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])$/i;

/** Null when good, else the sentence that says what is wrong. */
export function ticketProblem(ticket: string): string | null {
  if (ticket.length === 0) return 'A ticket cannot be empty.';
  if (ticket.length > limits.ticketMax)
    return `A ticket has at most ${limits.ticketMax} characters, this one has ${ticket.length}.`;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(ticket))
    return 'A ticket starts with a letter or digit and has only letters, digits, dot, underscore and hyphen, so that it is safe as a folder name.';
  if (ticket.endsWith('.')) return 'A ticket cannot end with a dot: Windows drops it from folder names.';
  if (reserved.test(ticket.split('.', 1)[0] ?? '')) return `"${ticket}" is a device name on Windows.`;
  return null;
}

/** Null when good, else the sentence that says what is wrong. */
export function mutexNameProblem(name: string): string | null {
  if (name.length === 0) return 'A mutex name cannot be empty.';
  if (name.length > limits.mutexNameMax)
    return `A mutex name has at most ${limits.mutexNameMax} characters, this one has ${name.length}.`;
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name))
    return 'A mutex name is one line of visible characters: no line feed, tab, or control character.';
  if (name.trim() !== name) return 'A mutex name cannot begin or end with a space.';
  return null;
}

/** Tickets and mutex names are compared by this key: without regard to case, nor to how an accented letter is put together. */
export function nameKey(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

const fleetEnding = ' (fleet)';

/** Whether hosts share the mutex. Its ending is part of its name, in every list and line. */
export const isFleetMutex = (mutex: string): boolean => nameKey(mutex).endsWith(fleetEnding);

export const inFleet = (mutex: string): string => (isFleetMutex(mutex) ? mutex : `${mutex}${fleetEnding}`);

/** `20261120-111918-3f9a2c`: sorts by time, short enough to read out. `random`: at least 6 letters or digits. */
export function ticketAt(at: Date, random: string): string {
  const stamp = at.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${random.slice(0, 6)}`;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** True for what is meant as an address and not as a command. */
export const isAddress = (word: string): boolean => /^https?:\/\//i.test(word);

/** True for an http address of this machine. */
export const isLoopback = (address: string): boolean => {
  const url = URL.parse(address);
  return url?.protocol === 'http:' && loopback.test(url.hostname);
};

/** Null when the end of a script may be told to that address, else why not: it stays on this machine. */
export function notifyProblem(address: string): string | null {
  if (!URL.canParse(address)) return `"${address}" is not an address.`;
  if (!isLoopback(address))
    return `"${address}" is not an http address of this machine (127.0.0.1, [::1] or localhost).`;
  return null;
}
