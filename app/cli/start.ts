/** `unjam start`: starts a script and prints its ticket. */
import { connect } from './connect.ts';
import { print, printJson } from './output.ts';
import { type ScriptOptions, startInput } from './script-options.ts';

export async function start(command: string[], options: ScriptOptions): Promise<void> {
  const input = startInput(command, options);
  const client = await connect();
  const script = await client.call('scripts.start', input);
  client.close();
  if (options.json) printJson(script);
  else print(script.ticket);
}
