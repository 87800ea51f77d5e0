/** "Remind me": asks for attention again after half an hour, while this page is open and the script still needs it. */
import type { ScriptView } from '../contract.ts';
import { withEntry, withoutEntry, byKey } from '../words/maps.ts';

const remindAfterMs = 30 * 60_000;

export class Reminders {
  /** When, in ms of the host's clock, by ticket. */
  at = $state.raw(byKey<number>([], () => ''));
  /** Due, and not dismissed yet. */
  due = $state.raw<readonly string[]>([]);

  /** Returns false when it took a reminder back. */
  toggle(ticket: string, now: number): boolean {
    if (this.at.has(ticket)) {
      this.at = withoutEntry(this.at, ticket);
      return false;
    }
    this.dismiss(ticket);
    this.at = withEntry(this.at, ticket, now + remindAfterMs);
    return true;
  }

  dismiss(ticket: string): void {
    this.due = this.due.filter((other) => other !== ticket);
  }

  /** Returns the scripts that are due now; those that are over need nobody. */
  accept(get: (ticket: string) => ScriptView | null, now: number): readonly ScriptView[] {
    const fresh: ScriptView[] = [];
    for (const [ticket, at] of this.at) {
      const script = get(ticket);
      const isOver = script === null || (script.state === 'final' && !script.orphan);
      if (!isOver && at > now) continue;
      this.at = withoutEntry(this.at, ticket);
      if (!isOver) fresh.push(script);
    }
    const still = this.due.filter((ticket) => get(ticket) !== null);
    if (fresh.length > 0 || still.length !== this.due.length)
      this.due = [...still, ...fresh.map((script) => script.ticket)];
    return fresh;
  }
}
