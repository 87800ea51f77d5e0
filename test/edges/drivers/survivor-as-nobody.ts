/**
 * Run as an ordinary user: starts a script whose child becomes root by a set-user-ID program, lets its shell end, and
 * prints what is known of the rest: by one who saw it before, by one who did not, and, after a line on stdin, once it
 * has gone.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openProcessControl } from '../../../app/processes/index.ts';

const [folder = '', program = ''] = process.argv.slice(2);
const file = (name: string): string => join(folder, name);
const say = (value: unknown): void => console.log(JSON.stringify(value));
const control = await openProcessControl();
const script = await control.launch({
  file: '/bin/bash',
  args: [
    '-c',
    `bash -c 'until [ -e seen ]; do sleep .02; done; exec ${program}' & echo $! >pid; until [ -e go ]; do sleep .02; done`,
  ],
  cwd: folder,
  environment: { PATH: process.env['PATH'] ?? '' },
  runId: 'survivor',
  stdoutPath: file('stdout.log'),
  stderrPath: file('stderr.log'),
});
script.release();
const pidOf = (): number => Number(existsSync(file('pid')) ? readFileSync(file('pid'), 'utf8') : 0);
while (!pidOf()) await delay(5);
/** Ours until it has become root; then of root, or hidden. */
function isOurs(): boolean {
  try {
    return /^Uid:\s+65534/m.test(readFileSync(`/proc/${pidOf()}/status`, 'utf8'));
  } catch {
    return false;
  }
}
control.tree(script.scope); // as a host does when it samples the health of all scripts
writeFileSync(file('seen'), '');
while (isOurs()) await delay(5);
writeFileSync(file('go'), '');
await script.exited;
const { now } = performance;
performance.now = () => now.call(performance) + 3_600_000; // an hour later
const tree = control.tree(script.scope);
say({
  pid: pidOf(),
  tree: tree.map((m) => m.identity.pid),
  liveness: control.treeLiveness(script.scope),
  interrupted: await control.interrupt(script.scope, 'SIGTERM'),
  ends: tree.map((m) => control.end(m.identity)),
  why: tree.map((m) => control.whyAlive(m.identity, control.end(m.identity))),
});
const other = await openProcessControl();
say({ tree: other.tree(script.scope).map((m) => m.identity.pid), liveness: other.treeLiveness(script.scope) });
await new Promise((resolve) => process.stdin.once('data', resolve));
while (control.treeLiveness(script.scope) !== 'dead') await delay(5); // a zombie is hidden too, until somebody collects it
say([control, other].map((c) => [c.tree(script.scope).length, c.treeLiveness(script.scope)]));
process.exit(0);
