/** `unjam start`: starts a script and prints its ticket. */
import { type ScriptOptions, startInput } from './script-options.ts';
import { startScript, tellStarted } from './start-script.ts';

export async function start(command: string[], options: ScriptOptions): Promise<void> {
  const { client, script } = await startScript(startInput(command, options));
  client.close();
  tellStarted(script, options.json);
}
