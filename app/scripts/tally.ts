/** What has happened to scripts since this host began, counted: for metrics. Nothing of an earlier host is in it. */
import type { ScriptEvent } from '../domain/events.ts';
import { type VerdictKind, verdictKinds } from '../domain/script.ts';

/** Upper bounds of waits for a mutex, s. */
export const waitBounds = [1, 10, 60, 300, 900, 3_600, 14_400] as const;
export type Action = 'cancel' | 'kill' | 'abandon';

export class Tally {
  started = 0;
  /** Begun, the one that waits included. */
  runners = 0;
  readonly verdicts = new Map<VerdictKind, number>(verdictKinds.map((kind) => [kind, 0]));
  readonly actions = new Map<Action, number>([
    ['cancel', 0],
    ['kill', 0],
    ['abandon', 0],
  ]);
  /** How many waits lasted at most as long as each bound. */
  readonly waits = waitBounds.map(() => 0);
  waited = { count: 0, seconds: 0 };

  take(event: ScriptEvent): void {
    switch (event.type) {
      case 'started':
        this.started += 1;
        return;
      case 'final':
        this.verdicts.set(event.verdict.kind, (this.verdicts.get(event.verdict.kind) ?? 0) + 1);
        return;
      case 'cancel':
      case 'kill':
      case 'abandoned': {
        const action = event.type === 'abandoned' ? 'abandon' : event.type;
        this.actions.set(action, (this.actions.get(action) ?? 0) + 1);
        return;
      }
      case 'granted': {
        const seconds = event.waitedMs / 1_000;
        waitBounds.forEach((bound, i) => seconds <= bound && (this.waits[i] = (this.waits[i] ?? 0) + 1));
        this.waited = { count: this.waited.count + 1, seconds: this.waited.seconds + seconds };
        return;
      }
      default:
    }
  }
}
