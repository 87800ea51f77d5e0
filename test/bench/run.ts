/** `npm run bench -- NAME [arguments]`: one benchmark of this folder; without a name, says which there are. */
import { runOne } from '../support/run-one.ts';

runOne('bench', import.meta.dirname, /^(?!run|locks-waiter|processes-measure|peers-open|log-file|fleet-)([\w-]+)\.ts$/);
