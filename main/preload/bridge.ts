/** What the page finds as `window.bridge`. Types only. */
import type { Reply } from '../../app/contract/methods.ts';

export interface Bridge {
  /** Never rejects for a refusal: the reply says `ok: false` then. */
  call(method: string, input: unknown): Promise<Reply>;
  /** Listens to `snapshot` and `open`; returns what ends it. */
  on(event: string, listener: (payload: unknown) => void): () => void;
}
