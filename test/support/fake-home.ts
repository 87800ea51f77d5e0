/** A folder of its own for one test, removed when the test has finished. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unjam-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Resolves when no process is left whose command line names the folder: one that is left writes to what is removed. */
export async function untilNobodyRuns(folder: string): Promise<void> {
  const names = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(folder);
    } catch {
      return false; // gone
    }
  };
  while (readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && names(pid))) await delay(5);
}
