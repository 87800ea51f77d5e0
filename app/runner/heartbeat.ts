/** Touches `heartbeat` every 3 s, so that a host can tell a frozen runner from a waiting one; `also` is called every second. */
import { utimesSync, writeFileSync } from 'node:fs';
import { limits } from '../domain/limits.ts';
import type { RunDirectory } from '../run-directory/run-directory.ts';

export function startHeartbeat(directory: RunDirectory, also: () => void): () => void {
  const beat = (): void => {
    try {
      const now = new Date();
      utimesSync(directory.heartbeatPath, now, now);
    } catch {
      try {
        writeFileSync(directory.heartbeatPath, '', { mode: 0o600 });
      } catch {
        // A full or read-only disk: the host sees a stale heartbeat and says so.
      }
    }
  };
  beat();
  const timers = [setInterval(beat, limits.heartbeatMs), setInterval(also, 1_000)];
  return () => timers.forEach((timer) => clearInterval(timer));
}
