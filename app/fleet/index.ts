export { Fleet, joinedFleet } from './fleet.ts';
