/** `unjam complete`: removes a finished script's run directory. */
import { connect } from './connect.ts';
import { print, printJson } from './output.ts';

export async function complete(ticket: string, options: { json?: boolean }): Promise<void> {
  const client = await connect();
  const result = await client.call('scripts.complete', { ticket });
  client.close();
  if (options.json) printJson(result);
  else print(result.warning ?? `${ticket}: the run directory was removed.`);
}
