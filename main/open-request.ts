/**
 * What main asks the page to show: event `open` on the bridge. It only ever opens something; the verbs are pressed
 * by a person and confirmed in main.
 */
export type OpenRequest =
  | { readonly view: 'scripts' | 'settings' | 'run' }
  | { readonly view: 'script'; readonly ticket: string; readonly dialog: 'cancel' | 'kill' | 'abandon' | 'log' | null };
