/** Shows the state directory in the file manager. Which folder that is main knows by itself: the page names none. */
import type { Shell } from 'electron';
import type { Reply } from '../app/contract/methods.ts';
import type { WindowOutput } from '../app/contract/window.ts';

/** A double-click opens one window, and a page that asks for ever no more than one in this time. */
const restMs = 2_000;

export function folderOpener(
  shell: Pick<Shell, 'openPath'>,
  stateDirectory: string,
  now: () => number,
): () => Promise<Reply> {
  const open = async (): Promise<Reply> => {
    const error = await shell.openPath(stateDirectory);
    const text = error === '' ? '' : `${stateDirectory} could not be shown: ${error.replace(/\.$/, '')}.`;
    return { ok: true, value: { text } satisfies WindowOutput<'window.openFolder'> };
  };
  let openedAt = -Infinity;
  let answer: Promise<Reply>;
  return () => {
    if (now() - openedAt >= restMs) {
      openedAt = now();
      answer = open();
    }
    return answer;
  };
}
