/** Asks again and again while a part is on screen. */
const againMs = 5_000;

/** Calls `look` now, and 5 s after each end of it. Returns what ends it; `look` says itself what went wrong. */
export function poll(look: (signal: AbortSignal) => Promise<void>): () => void {
  const looking = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = async (): Promise<void> => {
    await look(looking.signal);
    if (!looking.signal.aborted) timer = setTimeout(() => void again(), againMs);
  };
  void again();
  return () => {
    looking.abort();
    clearTimeout(timer);
  };
}
