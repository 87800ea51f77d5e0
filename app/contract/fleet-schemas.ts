/** What hosts of a fleet show each other's operators, in zod. */
import { z } from 'zod';
import { ObservedView } from './observed-schemas.ts';
import { ScriptView, Time } from './schemas.ts';

/** What a host shows: no output, no environment, no command. */
export const ShownScripts = z.strictObject({
  scripts: z.array(ScriptView),
  observed: z.array(ObservedView),
  leftOut: z.int().min(0).describe('scripts that were too many to be shown'),
});

/** The living scripts of one host, as it has shown them to the engine. */
export const HostScripts = ShownScripts.extend({
  host: z.string(),
  state: z.enum(['reachable', 'unreachable', 'retired']),
  at: Time.nullable().describe('the scripts are as they were then; null: this host has shown none'),
  problem: z.string().nullable().describe('why what the host has shown cannot be read'),
});

/** The scripts of other hosts, as a person of the fleet sees them. */
export const FleetScripts = z.strictObject({
  at: Time.nullable().describe('when the engine answered last; null when it has not yet'),
  problem: z.string().nullable().describe('why it does not answer now: everything is as it was then'),
  hosts: z.array(HostScripts).describe('without this one'),
});
