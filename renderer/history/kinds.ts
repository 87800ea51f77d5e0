/** What the journal's kinds are called on screen; the others keep their own name. */
const names: Readonly<Record<string, string>> = {
  kill: 'Force Kill',
  abandon: 'ABANDON',
  abandoned: 'ABANDON',
  'orphan-ended': 'Orphan exited',
};

/** What an incident review looks for first. */
const grave = ['kill', 'abandon', 'abandoned', 'unkillable', 'cancel-ignored'];

export function kindName(kind: string): string {
  return names[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('-', ' ');
}

export const isGrave = (kind: string): boolean => grave.includes(kind);
