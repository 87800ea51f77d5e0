/** What the host uses of the runner: the order it sends, and the ladder, for scripts whose runner has died; and the queue, for `unjam hold`. */
export { type Cause, Ending, type EndSummary } from './ending.ts';
export { heldMutexFacts, holderFacts, mutexFacts, notIsolated } from './mutex-facts.ts';
export type { RunnerOrder } from './order.ts';
export { waitInQueue } from './queue.ts';
export { ScriptLog } from './script-log.ts';
