/** Run as an ordinary user: tries to end a process of root as if it were of a script's tree, and prints each outcome. */
import type { ProcessIdentity } from '../../../app/domain/identity.ts';
import { openProcessControl } from '../../../app/processes/index.ts';

const identity = JSON.parse(process.argv[2] ?? '') as ProcessIdentity;
const control = await openProcessControl();
const scope = { root: identity, runId: 'none', group: null, job: null };
const say = (value: unknown): void => console.log(JSON.stringify(value));
say(await control.interrupt(scope, 'SIGTERM'));
const outcome = control.end(identity);
say(outcome);
say(control.whyAlive(identity, outcome));
