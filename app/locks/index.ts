export { Election } from './election.ts';
export { type FleetMutexes, type LivenessProbe, Mutex, Mutexes, type Witness } from './mutexes.ts';
export { checkMutex } from './schemas.ts';
export type { Store } from './store.ts';
