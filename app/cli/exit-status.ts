/** The process exit status of `unjam run`: the script's own code; for the rest one table (docs/exit-codes.md). */
import { constants } from 'node:os';
import type { ScriptView } from '../contract/methods.ts';

/** `timeout(1)` uses 124; 128 + n is the shells' code for signal n; 128 + 4x mirrors Tentacle's result code -4x. */
export function exitStatus(
  script: Pick<ScriptView, 'verdict' | 'timeout' | 'exitCode' | 'signal' | 'resultCode'>,
): number {
  if (script.verdict === 'exited') {
    // Windows codes have 32 bits, unsigned; Node takes and passes them signed. POSIX codes never exceed 255.
    if (script.exitCode !== null) return script.exitCode | 0;
    return 128 + ((constants.signals as Record<string, number>)[script.signal ?? ''] ?? 0);
  }
  if (script.verdict === 'timed-out' && script.timeout !== 'mutex') return 124;
  return 128 - script.resultCode;
}
