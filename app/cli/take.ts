/** `unjam take`: tells everybody that you are on it. */
import type { ObservedView, ScriptView } from '../contract/methods.ts';
import { isObservedId } from '../domain/observed-id.ts';
import { visibleLine } from '../domain/visible.ts';
import { withHost } from './connect.ts';
import { print, printJson } from './output.ts';

export async function take(ticket: string, options: { release?: boolean; json?: boolean }): Promise<void> {
  const release = options.release ?? false;
  const script = await withHost<ScriptView | ObservedView>((client) =>
    isObservedId(ticket)
      ? client.call('observed.take', { id: ticket, release })
      : client.call('scripts.take', { ticket, release }),
  );
  if (options.json) return printJson<'take'>(script);
  const { taken } = script;
  print(
    visibleLine(
      `${ticket}: ${taken === null ? 'nobody is on it.' : `${taken.by} is on it, until ${taken.until} or its end.`}`,
    ),
  );
} // prettier-ignore
