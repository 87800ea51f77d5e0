/**
 * What a host concludes about a script that has no verdict: from exit.json, or from identities that provably do not
 * live, and from nothing else (supervisors.md 5.8). A clock alone concludes only "never started".
 */
import type { Liveness } from './identity.ts';
import { limits } from './limits.ts';

export interface RecoveryFacts {
  readonly claimed: boolean;
  /** Age of spec.json, ms. */
  readonly ageMs: number;
  readonly runner: Liveness;
  readonly started: boolean;
  /** Any process of the tree. */
  readonly tree: Liveness;
  readonly exit: boolean;
  /** The machine has booted since the runner claimed the script. */
  readonly rebooted: boolean;
}

export type Conclusion =
  | { readonly kind: 'wait' }
  /** The runner lives and decides. */
  | { readonly kind: 'leave-to-runner' }
  /** The runner is gone, the script is not: the host watches the tree. */
  | { readonly kind: 'orphaned' }
  /** exit.json tells how it ended; the runner died before it said so. */
  | { readonly kind: 'conclude-exit' }
  | { readonly kind: 'never-started'; readonly why: string }
  | { readonly kind: 'lost'; readonly why: string };

export function conclude(f: RecoveryFacts): Conclusion {
  // runner.json is not synced: after a power cut it may be gone while what was written after it is there.
  if (!f.claimed && !f.started && !f.exit)
    return f.ageMs < limits.startMs
      ? { kind: 'wait' }
      : { kind: 'never-started', why: 'no runner took it over within a minute' };
  if (f.claimed && f.runner !== 'dead') return { kind: 'leave-to-runner' };
  if (f.exit) return f.tree === 'dead' ? { kind: 'conclude-exit' } : { kind: 'orphaned' };
  if (!f.started) {
    return f.rebooted
      ? { kind: 'never-started', why: 'the machine was restarted while it waited' }
      : { kind: 'never-started', why: 'its runner died before the script was started' };
  }
  if (f.tree !== 'dead') return { kind: 'orphaned' };
  return {
    kind: 'lost',
    why: f.rebooted
      ? 'the machine was restarted while it ran'
      : 'its runner died, and the script ended while nobody watched',
  };
}
