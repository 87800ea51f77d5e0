export { Election } from './election.ts';
export { type LivenessProbe, Mutex, Mutexes, watchPollMs } from './mutexes.ts';
