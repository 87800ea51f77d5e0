/** What the middle asks and is told, in one call. */
import type { ProcessIdentity } from '../domain/identity.ts';
import type { Node } from './forest.ts';
import { type FileKnown, keyOf, type Known, type Want } from './known.ts';
import { fitsWords, mayFit } from './names.ts';
import type { Match, Recogniser } from './recogniser.ts';

export class Asking {
  readonly known: Known;
  readonly wants: Want[] = [];
  /** The only environment variables that are ever read. */
  readonly #names: readonly string[];

  constructor(known: Known, recognisers: readonly Recogniser[]) {
    this.known = known;
    this.#names = variableNames(recognisers);
  }

  words(node: Node): string | null {
    const { identity } = node.row;
    const words = this.known.processes[keyOf(identity)]?.words;
    if (words === undefined) this.wants.push({ kind: 'words', of: identity });
    return words ?? null;
  }

  variables(of: ProcessIdentity): Readonly<Record<string, string>> | null {
    const variables = this.known.processes[keyOf(of)]?.variables;
    if (variables === undefined) this.wants.push({ kind: 'variables', of, names: this.#names });
    return variables ?? null;
  }

  unit(node: Node): string | null {
    const unit = this.known.processes[keyOf(node.row.identity)]?.unit;
    if (unit === undefined) this.wants.push({ kind: 'unit', of: node.row.identity });
    return unit ?? null;
  }

  user(of: ProcessIdentity): string | null {
    const user = this.known.processes[keyOf(of)]?.user;
    if (user === undefined) this.wants.push({ kind: 'user', of });
    return user ?? null;
  }

  file(path: string, head = false): FileKnown | undefined {
    const file = this.known.files[path];
    if (file === undefined || (head && file !== null && file !== 'unreadable' && file.head === null))
      this.wants.push({ kind: 'file', path, head });
    return file;
  }

  folder(path: string): readonly string[] | null {
    const entries = this.known.folders[path];
    if (entries === undefined) this.wants.push({ kind: 'folder', path });
    return entries ?? null;
  }

  /** The captured groups; null when it does not fit, or its words are not known. */
  fits(match: Match, node: Node): Readonly<Record<string, string>> | null {
    if (!mayFit(match, node.plain)) return null;
    if (match.words === undefined) return {};
    const words = this.words(node);
    return words === null ? null : fitsWords(match, words);
  }
}

/** `UNJAM_RUN` and `UNJAM_TICKET` tell what Unjam supervises; `UNJAM_RUN=none` is Unjam itself. */
export const variableNames = (recognisers: readonly Recogniser[]): readonly string[] => [
  ...new Set([...recognisers.flatMap((r) => r.variables ?? []), 'UNJAM_RUN', 'UNJAM_TICKET']),
];
