/**
 * Loaded before a program (`node --import`): kills the process before the n-th of its calls that change files, n from
 * UNJAM_TEST_DIE_AT, never with 0. The names of those calls are added to the file UNJAM_TEST_CALLS, one a line.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env['UNJAM_TEST_DIE_AT'] ?? 0);
const list = process.env['UNJAM_TEST_CALLS'];
/** Only where it exists already: a host is to be met in one of its commands, not while it starts. */
const armed = process.env['UNJAM_TEST_ARMED'];
const real = { ...fs };
let calls = 0;
const table = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
for (const name of Object.keys(table).filter((f) =>
  /^(write|append|link|unlink|rename|mkdir|rm|rmdir|fsync|ftruncate|truncate|utimes|futimes|copyFile|chmod|open)(File|v)?Sync$/.test(
    f,
  ),
)) {
  const call = table[name];
  if (call === undefined) continue;
  table[name] = (...args) => {
    const reads = name === 'openSync' && (args[1] === undefined || args[1] === 'r');
    if (!reads && (armed === undefined || real.existsSync(armed))) {
      calls += 1;
      if (list !== undefined) note(name);
      if (calls === at) {
        process.kill(process.pid, 'SIGKILL');
        // The signal may reach another thread first: this one must not run ahead of it.
        for (const until = performance.now() + 5; performance.now() < until;);
      }
    }
    return call(...args);
  };
}
syncBuiltinESMExports();

/** Not through the patched functions, which Node's own call each other by. */
function note(name: string): void {
  const file = real.openSync(list ?? '', 'a');
  real.writeSync(file, `${name}\n`);
  real.closeSync(file);
}
