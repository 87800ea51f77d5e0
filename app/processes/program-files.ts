/**
 * Whether the files that a host runs from are still the ones that it started from. `npm ci`, a build or an update puts
 * another version in their place, under a host that lives on: it would start runners of that version without a word.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

interface Noted {
  readonly path: string;
  readonly mark: string;
  /** Null for what is too large to be read: its size has to do. */
  readonly hash: string | null;
  readonly size: bigint;
}

const hashedUpTo = 16_777_216n;

export class ProgramFiles {
  #noted: readonly Noted[];

  /** Notes the files as they are now; one that is not there is not noted. */
  constructor(paths: readonly string[]) {
    this.#noted = paths.flatMap((path) => note(path) ?? []);
  }

  /** The first file that is gone or another one now, with what happened to it; null when all are as they were. */
  replaced(): string | null {
    for (const before of this.#noted) {
      const mark = markOf(before.path);
      if (mark === null) return `"${before.path}" is gone`;
      if (mark.text === before.mark) continue;
      // The same content under a new inode: the same version was installed again.
      const now = note(before.path);
      if (now === null) return `"${before.path}" is gone`;
      if (now.size !== before.size || now.hash !== before.hash) return `"${before.path}" was replaced`;
      this.#noted = this.#noted.map((one) => (one === before ? now : one));
    }
    return null;
  }
}

function markOf(path: string): { readonly text: string; readonly size: bigint } | null {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (status === undefined) return null;
  return { text: `${status.dev}.${status.ino}.${status.size}.${status.mtimeNs}`, size: status.size };
}

function note(path: string): Noted | null {
  try {
    const mark = markOf(path);
    if (mark === null) return null;
    const hash = mark.size > hashedUpTo ? null : createHash('sha256').update(readFileSync(path)).digest('hex');
    return { path, mark: mark.text, hash, size: mark.size };
  } catch {
    return null;
  }
}
