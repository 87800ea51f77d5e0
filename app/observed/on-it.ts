/**
 * Who said "I am on it" of which observed script. Such a script has no files of its own, so what outlives the host is the
 * entry of the journal. It is said of one process and never of a later one with the same pid.
 */
import { z } from 'zod';
import { type ProcessIdentity, sameProcess } from '../domain/identity.ts';
import { observedId } from '../domain/observed-id.ts';
import type { StoredEntry } from '../journal/journal.ts';

/** Wall-clock ms. */
export interface Taken {
  readonly by: string;
  readonly since: number;
  readonly until: number;
}

/** What the journal keeps beside the sentence; `until` is null when it was given back. */
const Said = z.object({
  until: z.number().nullable(),
  process: z.object({
    machine: z.string(),
    machineId: z.string().optional(),
    bootId: z.string(),
    pidNamespace: z.string(),
    pid: z.number(),
    startTime: z.string(),
    startedAt: z.number(),
    name: z.string(),
  }),
});

export class OnIt {
  readonly #said = new Map<string, { readonly process: ProcessIdentity; readonly taken: Taken | null }>();

  /** `entries` of kind `taken`, newest first; those of other scripts are passed over. */
  constructor(entries: readonly StoredEntry[]) {
    for (const { who, at, data } of entries) {
      const { success, data: said } = Said.safeParse(data);
      if (!success) continue;
      const { process, until } = said;
      const id = observedId(process);
      if (!this.#said.has(id))
        this.#said.set(id, { process, taken: until === null ? null : { by: who, since: at, until } });
    }
  }

  /** Null when nobody is on it, or that has run out. */
  of(root: ProcessIdentity, now: number): Taken | null {
    const said = this.#said.get(observedId(root));
    return said?.taken != null && now < said.taken.until && sameProcess(said.process, root) ? said.taken : null;
  }

  say(process: ProcessIdentity, taken: Taken | null): void {
    this.#said.set(observedId(process), { process, taken });
  }
}
