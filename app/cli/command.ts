/** What several commands have in common. */
import type { Command } from 'commander';
import { UnjamError } from '../contract/errors.ts';
import type { Client } from '../contract/methods.ts';

export const jsonOption = (command: Command): Command => command.option('--json', 'print JSON');

export const example = (command: Command, line: string): Command =>
  command.addHelpText('after', `\nExample:\n  ${line}`);

/** What a command speaks to: the host of this machine, or another one of the fleet. */
export type HostClient = Pick<Client, 'call'> & { close(): void };

/** Which host of the fleet is asked, and by whose invitation; without `host` the one of this machine. */
export interface Elsewhere {
  host?: string;
  as?: string;
}

export const elsewhereOptions = (command: Command): Command =>
  command
    .option('--host <host>', 'ask this host of the fleet instead (docs/fleet.md)')
    .option('--as <file>', 'your own invitation to the fleet (default: UNJAM_FLEET_AS)');

/** For commands that take a ticket: TICKET@HOST names the host too. @throws UnjamError `bad-input` */
export const scriptOf =
  <O extends Elsewhere>(act: (ticket: string, options: O) => Promise<void>) =>
  async (given: string, options: O): Promise<void> => {
    const [, ticket, host] = /^([^@]+)@(.+)$/.exec(given) ?? [];
    if (ticket === undefined || host === undefined) return act(given, options);
    if (options.host !== undefined && options.host !== host)
      throw new UnjamError('bad-input', `"${given}" is not a script of "${options.host}".`, 'Name one host.', '--host');
    return act(ticket, { ...options, host });
  };
