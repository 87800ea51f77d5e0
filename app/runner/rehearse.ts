/**
 * What a warm runner does while it waits: everything that Node loads and compiles on its first use, once. It took
 * milliseconds of every start (docs/benchmarks.md).
 */
import { watch } from 'node:fs';
import { dirname } from 'node:path';
import type { ProcessControl } from '../processes/index.ts';

/** A runner that gets its order at once has no time to rehearse. */
const afterMs = 30;

/** Returns what calls it off. */
export function rehearseSoon(control: ProcessControl): () => void {
  const timer = setTimeout(() => {
    try {
      watch(dirname(process.execPath), () => undefined).close();
      void control.rehearse?.();
    } catch {
      // Nothing depends on it.
    }
  }, afterMs);
  return () => clearTimeout(timer);
}
