/** `unjam run`: starts a script, follows its log, exits with its code. Ctrl-C cancels it, twice ends it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpClient } from '../api/http-client.ts';
import { UnjamError } from '../contract/errors.ts';
import type { ScriptView } from '../contract/methods.ts';
import { connect } from './connect.ts';
import { exitStatus } from './exit-status.ts';
import { followLog, passThroughWriter } from './follow.ts';
import { type ScriptOptions, startInput } from './script-options.ts';
import { startScript } from './start-script.ts';

export async function run(command: string[], options: ScriptOptions): Promise<void> {
  const started = await startScript(startInput(command, options));
  const { ticket } = started.script;
  let { client } = started;
  const restore = cancelOnInterrupt(() => client, ticket);
  let from = 0;
  let script: ScriptView;
  for (;;) {
    try {
      await followLog(client, ticket, { from, follow: true }, passThroughWriter(), (seq) => (from = seq));
      script = await client.call('scripts.get', { ticket });
      if (script.state === 'final') break;
    } catch (error) {
      if (!(error instanceof UnjamError) || (error.code !== 'host-unreachable' && error.code !== 'host-timeout'))
        throw error;
      // The host went away; the script did not. The next host goes on where this one stopped.
      await delay(100);
      client.close();
      client = await connect();
    }
  }
  restore();
  client.close();
  if (script.verdict !== 'exited') process.stderr.write(`unjam: ${script.condition.headline}\n`);
  process.exitCode = exitStatus(script);
}

function cancelOnInterrupt(client: () => HttpClient, ticket: string): () => void {
  let times = 0;
  const onInterrupt = (): void => {
    times += 1;
    const verb = times === 1 ? 'scripts.cancel' : 'scripts.kill';
    process.stderr.write(times === 1 ? '\nunjam: cancelling; Ctrl-C again ends it at once\n' : '\nunjam: force kill\n');
    client()
      .call(verb, { ticket, reason: 'Ctrl-C' })
      .catch((error: Error) => process.stderr.write(`unjam: ${error.message}\n`));
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  return () => {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  };
}
