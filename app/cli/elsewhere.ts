/** Another host of the fleet: reached through the engine, by a person's own invitation and not by this host's. */
import { constants } from 'node:os';
import { UnjamError } from '../contract/errors.ts';
import { methods } from '../contract/methods.ts';
import type { CallClient } from '../fleet/call-client.ts';
import { readInvitation } from '../fleet/config.ts';
import type { EngineAddress } from '../fleet/postgres.ts';
import type { HostClient } from './command.ts';
import { fail } from './output.ts';

const ending = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const;

/** Nothing is sent yet. @throws UnjamError `bad-input` */
export async function connectElsewhere(host: string, as: string | undefined): Promise<HostClient> {
  const address = personAddress(as);
  const [{ CallClient }, { Engine }] = await Promise.all([
    import('../fleet/call-client.ts'),
    import('../fleet/postgres.ts'),
  ]);
  return withdrawing(new CallClient(new Engine(address, 'unjam'), host));
}

/**
 * A signal that ends the command withdraws first what no host has taken yet: nothing happens after its caller has
 * gone. A second signal ends it at once.
 */
function withdrawing(client: CallClient): HostClient {
  const stop = new AbortController();
  const asked = new Set<Promise<unknown>>();
  const end = (signal: (typeof ending)[number]): void => {
    ignore();
    stop.abort();
    // What was answered just now is still printed.
    void Promise.allSettled(asked).then(() => setImmediate(() => process.exit(128 + constants.signals[signal])));
  };
  const ignore = (): void => {
    for (const signal of ending) process.off(signal, end);
  };
  for (const signal of ending) process.on(signal, end);
  return {
    call: async (method, input) => {
      if (stop.signal.aborted) return never();
      const answer = client.call(method, input, stop.signal);
      asked.add(answer);
      try {
        return await answer;
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        if (methods[method].kind === 'command') fail(error, process.argv.includes('--json'));
        return await never();
      } finally {
        asked.delete(answer);
      }
    },
    close: () => {
      ignore();
      client.close();
    },
  };
}

/** For a command that ends here and goes no further. */
const never = (): Promise<never> => new Promise(() => undefined);

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
