/** Opens files until the system gives no more, and says what is then thought of a process that lives. */
import { closeSync, openSync } from 'node:fs';
import { openProcessControl } from '../../../app/processes/index.ts';

const [, , pid] = process.argv;
const control = await openProcessControl();
const root = control.identify(Number(pid));
if (root === null) throw new Error('It does not live.');
const scope = { root, runId: 'none', group: Number(pid), job: null };
const opened: number[] = [];
try {
  for (;;) opened.push(openSync('/dev/null', 'r'));
} catch {
  // EMFILE
}
const seen = { itself: control.liveness(root), tree: control.treeLiveness(scope) };
for (const file of opened) closeSync(file);
console.log(JSON.stringify({ opened: opened.length > 10, ...seen, later: control.liveness(root) }));
process.exit();
