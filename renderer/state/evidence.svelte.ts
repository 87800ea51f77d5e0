/** Bundles of evidence that were saved from this page: which, and taking them away as a file. */
import { isObservedId } from '../../app/domain/observed-id.ts';
import type { ConsoleClient, Output } from '../contract.ts';
import { toCallError } from '../transport/call-error.ts';
import { bytes } from '../words/counts.ts';
import { evidenceSaved } from '../words/aids.ts';
import { byKey, withEntry } from '../words/maps.ts';
import type { Announcer } from './announcer.svelte.ts';

export type SavedEvidence = Output<'scripts.evidence'>;

export class Evidence {
  /** The newest one, by ticket. */
  saved = $state.raw(byKey<SavedEvidence>([], () => ''));
  /** The ticket whose bundle is being collected. */
  pending = $state<string | null>(null);

  readonly #client: ConsoleClient;
  readonly #announcer: Announcer;

  constructor(client: ConsoleClient, announcer: Announcer) {
    this.#client = client;
    this.#announcer = announcer;
  }

  async save(ticket: string): Promise<void> {
    if (this.pending !== null) return;
    this.pending = ticket;
    try {
      const saved = await (isObservedId(ticket)
        ? this.#client.call('observed.evidence', { id: ticket })
        : this.#client.call('scripts.evidence', { ticket }));
      this.saved = withEntry(this.saved, ticket, saved);
      this.#announcer.warn(evidenceSaved(saved));
    } catch (error) {
      this.#warn(error);
    } finally {
      this.pending = null;
    }
  }

  async download(ticket: string): Promise<void> {
    const saved = this.saved.get(ticket);
    if (saved === undefined) return;
    try {
      const written = await this.#client.saveEvidence(ticket, saved.file);
      if (written.file !== null) this.#announcer.warn(`Saved ${bytes(written.bytes)} to ${written.file}.`);
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    const { message, next } = toCallError(error);
    this.#announcer.warn(`${message} ${next}`);
  }
}
