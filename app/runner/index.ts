/** What the host uses of the runner: the order it sends, and the ladder, for scripts whose runner has died. */
export { type Cause, Ending, type EndSummary } from './ending.ts';
export { heldMutexFacts, mutexFacts } from './mutex-facts.ts';
export type { RunnerOrder } from './order.ts';
export { ScriptLog } from './script-log.ts';
