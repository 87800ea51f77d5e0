/** Starts a script so that the death of the host in the middle neither loses it nor runs it twice. */
import { randomBytes } from 'node:crypto';
import type { HttpClient } from '../api/http-client.ts';
import { UnjamError } from '../contract/errors.ts';
import type { Input, ScriptView } from '../contract/methods.ts';
import { ticketAt } from '../domain/names.ts';
import { type OwnSurroundings, ownSurroundings } from '../processes/surroundings.ts';
import { connect } from './connect.ts';
import { keepGoingWithoutOutput, print, printJson, say } from './output.ts';

const tries = 5;

/**
 * The ticket is made here, before the first try: asking again with the same ticket is safe.
 * @throws UnjamError also `host-timeout`: then nobody knows yet whether the script starts, and the message names the ticket
 */
export async function startScript(input: Input<'scripts.start'>): Promise<{ client: HttpClient; script: ScriptView }> {
  using own = await ownSurroundings();
  const ticket = input.ticket ?? ticketAt(new Date(), randomBytes(3).toString('hex'));
  for (let attempt = 1; ; attempt += 1) {
    const client = await connect('start');
    try {
      const script = await client.call('scripts.start', { ...input, ...surroundingsOf(own), ticket });
      own.keep();
      return { client, script };
    } catch (error) {
      client.close();
      if (!(error instanceof UnjamError)) throw error;
      if (error.code === 'host-unreachable' && attempt < tries) continue;
      if (error.code !== 'host-unreachable' && error.code !== 'host-timeout') throw error;
      own.keep();
      throw new UnjamError(
        error.code,
        `${error.message} The script may still start, with the ticket ${ticket}.`,
        `Look with "unjam status ${ticket}". Starting it again with --ticket ${ticket} never runs it twice.`,
      );
    }
  }
}

/** The ticket. Where it cannot be written, standard error says it: the script runs, and a failure would start it twice. */
export function tellStarted(script: ScriptView, asJson = false): void {
  keepGoingWithoutOutput((stream, problem) => {
    if (stream === 'stdout')
      say(`Standard output could not be written: ${problem}. The script was started; its ticket is ${script.ticket}.`);
  });
  if (asJson) printJson<'start' | 'retry'>(script);
  else print(script.ticket);
}

function surroundingsOf({ umask, niceness, limits, stdin }: OwnSurroundings): Partial<Input<'scripts.start'>> {
  return {
    ...(umask === undefined ? {} : { umask }),
    ...(niceness === undefined ? {} : { niceness }),
    ...(limits ? { limits } : {}),
    ...(stdin ? { stdin } : {}),
  };
}
