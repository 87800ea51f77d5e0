/** `host.log` beside the scripts' state: where a person looks after something went wrong inside Unjam itself. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { redact } from '../app/domain/redact.ts';

const maxBytes = 2_097_152;

/** Synchronous, so that the last line before a crash is there. A log that cannot be written is not an error. */
export function hostLog(folder: string): (line: string) => void {
  const file = join(folder, 'host.log');
  return (line) => {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, `${file}.1`);
      appendFileSync(file, `${new Date().toISOString()} ${redact(line).replaceAll('\n', ' | ')}\n`, { mode: 0o600 });
    } catch {
      // Nowhere left to say it.
    }
  };
}
