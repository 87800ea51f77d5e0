/** What a person types before a verb is sent: the pid where it is asked for, a reason where the host wants one. */
import type { Decision } from '../state/actions.svelte.ts';
import { visible } from '../words/visible.ts';

interface Asked {
  /** Null when no pid has to be typed. */
  readonly pid: number | null;
  readonly needsReason: boolean;
}

export class Confirmation {
  typed = $state('');
  complaint = $state('');
  reason = $state('');
  reasonComplaint = $state('');

  readonly #asked: () => Asked;

  readonly #hasPid = $derived.by(() => {
    const { pid } = this.#asked();
    return pid === null || this.typed.trim() === String(pid);
  });
  readonly #hasReason = $derived.by(() => !this.#asked().needsReason || this.reason.trim() !== '');
  readonly isReady = $derived(this.#hasPid && this.#hasReason);

  constructor(asked: () => Asked) {
    this.#asked = asked;
  }

  /** What was decided, or null after saying beside the field what is missing. */
  decide(): Decision | null {
    const { pid } = this.#asked();
    const typed = this.typed.trim();
    if (!this.#hasPid)
      this.complaint =
        typed === '' ? `Type the PID (${pid}) first.` : `${visible(typed)} is not this script's PID (${pid}).`;
    if (!this.#hasReason) this.reasonComplaint = 'Enter a reason first: this host requires one.';
    if (!this.isReady) return null;
    const reason = this.reason.trim();
    return reason === '' ? {} : { reason };
  }
}
