export { Election } from './election.ts';
export { type LivenessProbe, Mutex, Mutexes } from './mutexes.ts';
