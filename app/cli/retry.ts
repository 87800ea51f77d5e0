/** `unjam retry`: starts the command of a script again, as a new script in this environment. */
import { UnjamError } from '../contract/errors.ts';
import { withHost } from './connect.ts';
import { inherited } from './script-options.ts';
import { startScript, tellStarted } from './start-script.ts';

export async function retry(ticket: string, options: { json?: boolean }): Promise<void> {
  const before = await withHost((client) => client.call('scripts.get', { ticket }));
  if (before.state !== 'final')
    throw new UnjamError(
      'not-final',
      `"${before.name}" (ticket ${before.ticket}) is ${before.state}.`,
      `Wait for its end with "unjam wait ${before.ticket}"; nothing was started.`,
      'ticket',
    );
  const { overallMs, firstOutputMs, noOutputMs, mutexMs } = before.timeouts;
  const environment = inherited(process.env);
  const maskEnv = before.maskEnv?.filter((name) => environment[name] !== undefined);
  const { client, script } = await startScript({
    name: before.name,
    command: before.command,
    cwd: before.cwd,
    // Values of variables are not kept: they may be secrets.
    environment,
    ...(maskEnv === undefined ? {} : { maskEnv }),
    cancelSignal: before.cancelSignal,
    graceMs: before.graceMs,
    ...(overallMs === null ? {} : { timeoutMs: overallMs }),
    ...(firstOutputMs === undefined ? {} : { firstOutputTimeoutMs: firstOutputMs }),
    ...(noOutputMs === null ? {} : { noOutputTimeoutMs: noOutputMs }),
    ...(before.mutex === null || before.isolation === null
      ? {}
      : { isolation: { level: before.isolation, mutex: before.mutex, timeoutMs: mutexMs } }),
  });
  client.close();
  tellStarted(script, options.json);
}
