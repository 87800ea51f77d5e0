/** Another host of the fleet: reached through the engine, by a person's own invitation and not by this host's. */
import { UnjamError } from '../contract/errors.ts';
import { readInvitation } from '../fleet/config.ts';
import type { EngineAddress } from '../fleet/postgres.ts';
import type { HostClient } from './command.ts';

/** Nothing is sent yet. @throws UnjamError `bad-input` */
export async function connectElsewhere(host: string, as: string | undefined): Promise<HostClient> {
  const address = personAddress(as);
  const [{ CallClient }, { Engine }] = await Promise.all([
    import('../fleet/call-client.ts'),
    import('../fleet/postgres.ts'),
  ]);
  return new CallClient(new Engine(address, 'unjam'), host);
}

/** What the engine knows a person by. @throws UnjamError `bad-input` */
export function personAddress(as: string | undefined): EngineAddress {
  const file = as ?? process.env['UNJAM_FLEET_AS'];
  if (file !== undefined && file !== '') return readInvitation(file);
  throw new UnjamError(
    'bad-input',
    'No invitation is given.',
    'Give your own with --as FILE or UNJAM_FLEET_AS; "unjam fleet invite NAME --operator" makes one.',
    'as',
  );
}
