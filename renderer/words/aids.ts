/** What stands beside the three verbs. */
import type { Output } from '../contract.ts';
import { bytes, count } from './counts.ts';

export const aids = {
  evidence: 'Save evidence',
  saving: 'Saving evidence…',
  evidenceHelp: 'Saves processes, wait reasons, open files and the end of the log beside the log. Ends nothing.',
  download: (size: number): string => `Download evidence (${bytes(size)})`,
} as const;

export const evidenceSaved = ({ file, collected, missing }: Output<'scripts.evidence'>): string => {
  const gaps = missing.length === 0 ? '' : ` ${count(missing.length, 'part')} could not be read; its first page says why.`;
  return collected
    ? `Evidence saved as ${file} in the run directory.${gaps}`
    : `Evidence was saved earlier as ${file}, while the processes were still there.`;
}; // prettier-ignore
