/** Workflow commands that build scripts print: groups and errors of GitHub Actions and Azure Pipelines. Pure. */
export type CommandKind = 'group' | 'error' | 'warning' | 'end';

const command =
  /^\s*(?:::|##(?:vso)?\[)(?:task\.logissue type=)?(group|section|endgroup|error|warning)\b([^\]]*?)(?:::|\])\s?(.*)$/;

const kinds: Readonly<Record<string, CommandKind>> = {
  group: 'group',
  section: 'group',
  endgroup: 'end',
  error: 'error',
  warning: 'warning',
};

export function kindOf(text: string): CommandKind | null {
  // Most lines are no command; looking at two characters tells.
  if (!/^\s*(?:::|##)/.test(text)) return null;
  return kinds[command.exec(text)?.[1] ?? ''] ?? null;
}

/** What counts as an error on standard output. For `logs.search`, which ignores case. */
export const errorPattern = String.raw`^\s*::error|^\s*##(?:vso)?\[(?:task\.logissue type=)?error|\b(?:error|fatal|exception|traceback)\b`;
