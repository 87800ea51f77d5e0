/**
 * The lines that Unjam writes into script logs, journal and host log: stable code, past tense, only what was
 * observed. Each names actor, pid with start time, counts, mutex, how many wait, and the next step.
 */
export * from './lines/abandon.ts';
export * from './lines/ending.ts';
export * from './lines/life.ts';
export * from './lines/note.ts';
export * from './lines/observed.ts';
export { actorText, exitText, type Line, type MutexFacts } from './lines/parts.ts';
export * from './lines/waiting.ts';
