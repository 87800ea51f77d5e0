export type { Call } from './call-desk.ts';
export { Fleet, joinedFleet } from './fleet.ts';
export { Visit } from './visit.ts';
