/** What the journal's kinds are called on screen; an unknown one keeps its own name. */
const names: Readonly<Record<string, string>> = {
  cancel: 'Cancel',
  kill: 'Force Kill',
  abandon: 'ABANDON',
  started: 'Started',
  queued: 'Queued',
  final: 'Final',
  'orphan-ended': 'Orphan exited',
  resume: 'Resume',
  recovered: 'Recovered',
  timeout: 'Timeout',
};

export function kindName(kind: string): string {
  return names[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('-', ' ');
}
