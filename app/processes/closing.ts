/** What came of closing a folder to others. */
export interface Closing {
  /** Why the folder is not to be used; null when it may be. */
  readonly refused: string | null;
  /** What was changed, or could not be, in a sentence for the log. */
  readonly said: string | null;
}
