/** `unjam start`: starts a script and prints its ticket. */
import { print, printJson } from './output.ts';
import { type ScriptOptions, startInput } from './script-options.ts';
import { startScript } from './start-script.ts';

export async function start(command: string[], options: ScriptOptions): Promise<void> {
  const { client, script } = await startScript(startInput(command, options));
  client.close();
  if (options.json) printJson(script);
  else print(script.ticket);
}
