/** What a mutex is kept in: files of this machine's state directory, or the engine of a fleet. */

/** Changes are compare-and-set: of two that began from the same state one is made, and the other begins again. */
export interface Store<State> {
  /** Names it among all stores of a state directory; of files the path of their folder. */
  readonly key: string;
  /** The newest state that is known; the initial one when there is none yet. */
  read(): State;
  /**
   * Changes the state. `change` is pure and may run several times; returning the very state that it got means
   * "no change". Resolves with the state that holds afterwards.
   */
  change(change: (state: State) => State): Promise<State>;
  /**
   * Calls `look` when the state may have changed, at the latest when `id` was granted. Silence proves nothing: who must know looks by a clock too. Returns
   * what ends it.
   */
  watch(look: () => void, id: string): () => void;
  /** How long ago what `read` answers was so, ms; 0 for files. */
  readonly staleMs: number;
  /** Wall clock, ms since 1970, for people; nothing is decided by it. */
  now(): number;
}
