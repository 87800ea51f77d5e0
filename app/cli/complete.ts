/** `unjam complete`: removes a finished script's run directory. */
import { visibleLine } from '../domain/visible.ts';
import type { Elsewhere } from './command.ts';
import { withHost } from './connect.ts';
import { print, printJson } from './output.ts';

export async function complete(ticket: string, options: Elsewhere & { json?: boolean }): Promise<void> {
  const result = await withHost((client) => client.call('scripts.complete', { ticket }), options);
  if (options.json) printJson<'complete'>(result);
  else print(visibleLine(result.warning ?? `${ticket}: the run directory was removed.`));
}
