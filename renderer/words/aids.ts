/** What stands beside the three verbs. */
import { isObservedId } from '../../app/domain/observed-id.ts';
import type { Output } from '../contract.ts';
import { bytes, count } from './counts.ts';

export const aids = {
  take: 'I am on it',
  giveBack: 'No longer on it',
  takeHelp: 'Shown to everybody for an hour, or until the script ends. It locks nobody out.',
  onIt: (by: string, since: string, until: string): string =>
    `${by} is on it, since ${since}. Shown until ${until}, or until the script ends.`,
  onItNow: (by: string | null, name: string): string =>
    by === null ? `Nobody is on ${name} now.` : `${by} is on ${name} now.`,
  onItShort: (by: string): string => `${by} is on it`,
  end: 'End this process',
  endOf: (pid: number, name: string): string => `End PID ${pid} (${name})…`,
  ended: (pid: number, name: string): string => `PID ${pid} of ${name} has ended.`,
  endedByItself: (pid: number): string => `PID ${pid} has ended by itself. There is nothing to end.`,
  endPoints: [
    'Only this process ends. The rest of the script keeps running, and may clean up or do more work.',
    'Files that it was writing may be half written.',
  ],
  evidence: 'Save evidence',
  saving: 'Saving evidence…',
  evidenceHelp: 'Saves processes, wait reasons, open files and the end of the log. Ends nothing.',
  evidenceFirst: 'Evidence is saved first, which takes 2 s at most.',
  download: (size: number): string => `Download evidence (${bytes(size)})`,
} as const;

export const evidenceSaved = ({ ticket, file, collected, missing }: Output<'scripts.evidence'>): string => {
  const gaps = missing.length === 0 ? '' : ` ${count(missing.length, 'part')} could not be read; its first page says why.`;
  return collected
    ? `Evidence saved as ${file} in the ${isObservedId(ticket) ? 'state' : 'run'} directory.${gaps}`
    : `Evidence was saved earlier as ${file}, while the processes were still there.`;
}; // prettier-ignore
