export { Election } from './election.ts';
export { Mutex, Mutexes } from './mutexes.ts';
