/** What the journal's kinds are called on screen; the others keep their own name. */
import type { HistoryEntry } from '../contract.ts';

type Kind = Pick<HistoryEntry, 'kind' | 'code'>;

const names: Readonly<Record<string, string>> = {
  kill: 'Force Kill',
  abandon: 'Abandon',
  abandoned: 'Abandon',
  granted: 'Acquired',
  final: 'Ended',
  'orphan-ended': 'Orphan exited',
};
/** Lines that say more than "note". */
const codes: Readonly<Record<string, string>> = { W222: 'Not isolated' };

/** What an incident review looks for first. */
const grave = ['kill', 'abandon', 'abandoned', 'unkillable', 'cancel-ignored'];

export function kindName({ kind, code }: Kind): string {
  if (kind === 'note' && code !== null) return codes[code] ?? (code.startsWith('W') ? 'Warning' : 'Note');
  const bare = withoutObserved(kind);
  return names[bare] ?? bare.charAt(0).toUpperCase() + bare.slice(1).replaceAll('-', ' ');
}

export const isGrave = ({ kind, code }: Kind): boolean => grave.includes(withoutObserved(kind)) || code === 'W222';

/** The verbs of observed scripts have the same names. */
const withoutObserved = (kind: string): string => kind.replace('observed-', '');
