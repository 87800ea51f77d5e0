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
  const outcome = (script: ScriptDetail): Outcome | null => {
    const isFinal = script.state === 'final';
    if (isFinal && !script.orphan) return { script, isDone: script.verdict !== 'abandoned' || verb === 'kill' };
    const isLost = failed.has(script.condition.key) || (isFinal && (verb === 'cancel' || survives));
    return isLost ? { script, isDone: false } : null;
  };
  return host.outlast(async (client) => {
    for (let last = false; ;) {
      const found = outcome(await client.call('scripts.get', { ticket }));
      // The line that tells the outcome comes after the verdict: one more look, unless nobody writes any more.
      const waitMs = found === null || found.script.state === 'final' ? 1_000 : 0;
      const page = await client.call('logs.read', { ticket, from, stream: 'unjam', waitMs });
      for (const { code, text } of page.entries) {
        tell(`${code ?? ''} ${text}`);
        if (code !== null && orphanSurvives.has(code)) survives = true;
      }
      from = page.next;
      if (found !== null && (found.script.state !== 'final' || page.complete || last)) return found;
      last = found !== null;
    }
  });
}
