export type { Call } from './call-desk.ts';
export { Fleet, joinedFleet } from './fleet.ts';
