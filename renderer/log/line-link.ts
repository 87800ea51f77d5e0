/** Links to lines: `#scripts/TICKET/log/L123`, `#scripts/TICKET/log/L10-L20`. Pure. */
export interface LineRange {
  readonly ticket: string;
  readonly first: number;
  readonly last: number;
}

export function parseLines(hash: string): LineRange | null {
  const found = /^#\/?scripts\/([^/]+)\/log\/L(\d{1,12})(?:-L?(\d{1,12}))?$/.exec(hash);
  if (found === null) return null;
  const first = Number(found[2]);
  const last = Number(found[3] ?? found[2]);
  if (first < 1 || last < 1) return null;
  try {
    return { ticket: decodeURIComponent(found[1] ?? ''), first: Math.min(first, last), last: Math.max(first, last) };
  } catch {
    return null;
  }
}

export const formatLines = ({ ticket, first, last }: LineRange): string =>
  `#scripts/${encodeURIComponent(ticket)}/log/L${first}${last === first ? '' : `-L${last}`}`;
