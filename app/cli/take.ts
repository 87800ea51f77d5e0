/** `unjam take`: tells everybody that you are on it. */
import { visibleLine } from '../domain/visible.ts';
import { withHost } from './connect.ts';
import { print, printJson } from './output.ts';

export async function take(ticket: string, options: { release?: boolean; json?: boolean }): Promise<void> {
  const script = await withHost((client) =>
    client.call('scripts.take', { ticket, release: options.release ?? false }),
  );
  if (options.json) return printJson<'take'>(script);
  const { taken } = script;
  print(
    visibleLine(
      `${script.ticket}: ${taken === null ? 'nobody is on it.' : `${taken.by} is on it, until ${taken.until} or its end.`}`,
    ),
  );
} // prettier-ignore
