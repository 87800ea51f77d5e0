/** The name under which a caller stands in the journal: what the system saw, and what the caller says beside it. */

const nameMax = 200;

/**
 * `observed` is the user that the caller's process runs as, null when the system does not tell; `claimed` is what the
 * caller says. Only an observed name ever stands without a mark:
 * `kim` (observed), `kim (as root)` (claimed kim, observed root), `kim (unverified)` (claimed, not observed).
 */
export function actorUser(claimed: string | null, observed: string | null): string {
  const said = claimed === null ? '' : oneLine(claimed);
  if (observed === null) return `${said === '' ? 'unknown' : said} (unverified)`;
  return said === '' || sameUser(said, observed) ? observed : `${said} (as ${observed})`;
}

/** The value of a header, percent-encoded by Unjam's own clients; as it stands when it is not. */
export function headerText(value: string | string[] | undefined): string | null {
  if (typeof value !== 'string' || value === '') return null;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** A program knows itself as `kim` where Windows says `CONTOSO\kim`. */
function sameUser(said: string, observed: string): boolean {
  const [short, full] = [said.toLowerCase(), observed.toLowerCase()];
  return short === full || (observed.includes('\\') && short === full.slice(full.lastIndexOf('\\') + 1));
}

/** It becomes part of log lines: no line feeds, no control or direction characters, and not endless. */
const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, nameMax);
