/** Sentences about other hosts of the fleet. */
import type { FleetScripts } from '../contract.ts';
import { dayTime } from './times.ts';

export const notHere = (host: string): string => `It is a script of "${host}": nothing can be done with it here.`;

const shownMax = 3;

/** Of what the rows do not say themselves. */
export function fleetNotes({ at, problem, hosts }: FleetScripts): readonly string[] {
  const notes = [
    ...(problem === null
      ? []
      : [
          `${problem} ${at === null ? 'Nothing is known of other hosts.' : `Other hosts are shown as at ${dayTime(at)}.`}`,
        ]),
    ...hosts.flatMap(({ host, leftOut, problem }) => [
      ...(problem === null ? [] : [`"${host}": ${problem}`]),
      ...(leftOut === 0 ? [] : [`"${host}" has ${leftOut} more: unjam ps --host ${host}`]),
    ]),
  ];
  return notes.length <= shownMax ? notes : [...notes.slice(0, shownMax), 'More of this: unjam fleet ps'];
}
