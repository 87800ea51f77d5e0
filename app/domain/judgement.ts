/**
 * What a host concludes about a script whose runner is dead: from exit.json, or from processes that provably do not
 * live, and from nothing else (supervisors.md 5.8). A clock alone concludes only "never started".
 */
import type { Liveness } from './identity.ts';
import { limits } from './limits.ts';

export interface Found {
  readonly claimed: boolean;
  /** Age of spec.json, ms. */
  readonly ageMs: number;
  readonly started: boolean;
  /** Any process of the tree. */
  readonly tree: Liveness;
  readonly exit: boolean;
  /** It has a clean-up command, and nothing says that this is over. */
  readonly cleanupDue: boolean;
  /** The machine has booted since the runner claimed the script. */
  readonly rebooted: boolean;
}

export type Judgement =
  | { readonly kind: 'wait' }
  /** The host carries on the script's lifecycle in place of its runner: its end, or its clean-up. */
  | { readonly kind: 'adopt' }
  /** exit.json says how it ended. */
  | { readonly kind: 'exited' }
  | { readonly kind: 'never-started'; readonly why: string }
  | { readonly kind: 'lost'; readonly why: string };

export function judge(f: Found): Judgement {
  // runner.json is not synced: after a power cut it may be gone while what was written after it is there.
  if (!f.claimed && !f.started && !f.exit)
    return f.ageMs < limits.startMs
      ? { kind: 'wait' }
      : { kind: 'never-started', why: 'no runner took it over within a minute' };
  if (!f.started && !f.exit)
    return {
      kind: 'never-started',
      why: f.rebooted ? 'the machine was restarted while it waited' : 'its runner died before the script was started',
    };
  if (f.started && (f.tree !== 'dead' || (f.exit && f.cleanupDue && !f.rebooted))) return { kind: 'adopt' };
  if (f.exit) return { kind: 'exited' };
  return {
    kind: 'lost',
    why: f.rebooted
      ? 'the machine was restarted while it ran'
      : 'its runner died, and the script ended while nobody watched',
  };
}
