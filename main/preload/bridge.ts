/** What the page finds as `window.bridge`. Types only. */
import type { WindowEvent } from '../../app/contract/window.ts';
import type { Reply } from '../../app/contract/methods.ts';

export interface Bridge {
  /** Never rejects for a refusal: the reply says `ok: false` then. */
  call(method: string, input: unknown): Promise<Reply>;
  /** Returns what ends it. */
  on(event: WindowEvent, listener: (payload: unknown) => void): () => void;
}
