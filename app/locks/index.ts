export { Election } from './election.ts';
export { type LivenessProbe, Mutex, Mutexes, type Witness } from './mutexes.ts';
