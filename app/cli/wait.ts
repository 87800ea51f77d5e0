/** `unjam wait`: waits for the end of a script and exits as `unjam run` would have. */
import type { ScriptDetail } from '../contract/methods.ts';
import { visibleLine } from '../domain/visible.ts';
import { connect } from './connect.ts';
import { exitStatus } from './exit-status.ts';
import { LastingClient } from './outlast.ts';
import { print, printJson } from './output.ts';

const holdMs = 5_000;

export async function wait(ticket: string, options: { json?: boolean }): Promise<void> {
  const host = new LastingClient(await connect());
  try {
    const script = await host.outlast(async (client): Promise<ScriptDetail> => {
      for (let from = 0; ;) {
        const now = await client.call('scripts.get', { ticket });
        if (now.state === 'final') return now;
        // Whatever ends a script is said in its log: the answer comes at once then.
        from = (await client.call('logs.read', { ticket, from, stream: 'unjam', waitMs: holdMs })).next;
      }
    });
    if (options.json) printJson<'wait'>(script);
    else print(visibleLine(`${script.ticket}: ${script.condition.headline}`));
    process.exitCode = exitStatus(script);
  } finally {
    host.close();
  }
}
