/** Waits for what a Cancel or a Force Kill leads to, and hands on what Unjam says meanwhile. */
import type { ScriptDetail } from '../contract/methods.ts';
import type { LastingClient } from './outlast.ts';

export interface Outcome {
  readonly script: ScriptDetail;
  /** It is what was asked for: nothing of the script runs any more. */
  readonly isDone: boolean;
}

/** Not what was asked for, and nothing follows by itself. */
const failed = new Set(['cancel-ignored', 'unkillable']);
/** An orphan stays "abandoned" whatever becomes of a Force Kill: there the lines tell (docs/log-lines.md). */
const orphanSurvives = new Set(['W214', 'W215']);

/** Ends by itself: every stage of a Cancel and of a Force Kill ends by an event or by a clock. */
export async function outcomeOf(
  host: LastingClient,
  verb: 'cancel' | 'kill',
  ticket: string,
  begin: number,
  tell: (line: string) => void,
): Promise<Outcome> {
  let from = begin;
  let survives = false;
  return host.outlast(async (client) => {
    for (;;) {
      const script = await client.call('scripts.get', { ticket });
      if (script.state === 'final' && !script.orphan)
        return { script, isDone: script.verdict !== 'abandoned' || verb === 'kill' };
      if (script.state === 'final' && (verb === 'cancel' || survives)) return { script, isDone: false };
      if (failed.has(script.condition.key)) return { script, isDone: false };
      const page = await client.call('logs.read', { ticket, from, stream: 'unjam', waitMs: 1_000 });
      for (const { code, text } of page.entries) {
        tell(`${code ?? ''} ${text}`);
        if (code !== null && orphanSurvives.has(code)) survives = true;
      }
      from = page.next;
    }
  });
}
