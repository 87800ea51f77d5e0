/** Starts a script so that the death of the host in the middle neither loses it nor runs it twice. */
import { randomBytes } from 'node:crypto';
import type { HttpClient } from '../api/http-client.ts';
import { UnjamError } from '../contract/errors.ts';
import type { Input, ScriptView } from '../contract/methods.ts';
import { ticketAt } from '../domain/names.ts';
import { connect } from './connect.ts';

const tries = 5;

/** The ticket is made here, before the first try: asking again with the same ticket is safe. */
export async function startScript(input: Input<'scripts.start'>): Promise<{ client: HttpClient; script: ScriptView }> {
  const request = { ...input, ticket: input.ticket ?? ticketAt(new Date(), randomBytes(3).toString('hex')) };
  for (let attempt = 1; ; attempt += 1) {
    const client = await connect();
    try {
      return { client, script: await client.call('scripts.start', request) };
    } catch (error) {
      client.close();
      if (attempt === tries || !(error instanceof UnjamError) || error.code !== 'host-unreachable') throw error;
    }
  }
}
