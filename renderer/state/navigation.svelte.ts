/** Which view is open; the address says it too, so that a link, the tray or a reload can point at one script. */
import type { Verb } from '../contract.ts';

const views = ['scripts', 'mutexes', 'hosts', 'history', 'settings'] as const;
export type View = (typeof views)[number];

/** `#scripts/TICKET`, `#scripts/TICKET/log`, `#scripts/TICKET/kill`, `#mutexes/NAME`, `#hosts`, `#history`, `#settings`, `#log/TICKET`. */
export interface Address {
  readonly view: View;
  readonly subject: string | null;
  readonly open: 'log' | Verb | null;
}

export function parseAddress(hash: string): Address {
  const [view, subject, open] = hash.replace(/^#\/?/, '').split('/').map(decode);
  return {
    view: views.find((known) => known === view) ?? 'scripts',
    subject: subject === undefined || subject === '' ? null : subject,
    open: (['log', 'cancel', 'kill', 'abandon'] as const).find((known) => known === open) ?? null,
  };
}

export function formatAddress(view: View, subject: string | null, log: boolean): string {
  return `#${[view, ...(subject === null ? [] : [encodeURIComponent(subject)]), ...(log && subject !== null ? ['log'] : [])].join('/')}`;
}

/** The address of a window that shows one log and nothing else. */
export const logAddress = (ticket: string): string => `#log/${encodeURIComponent(ticket)}`;

/** The ticket when this page is such a window. */
export function loneLog(hash: string): string | null {
  const [view, subject] = hash.replace(/^#\/?/, '').split('/').map(decode);
  return view === 'log' && subject !== undefined && subject !== '' ? subject : null;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export class Navigation {
  view = $state<View>('scripts');
  /** The log fills the scripts view. */
  log = $state(false);
  mutex = $state<string | null>(null);
  help = $state(false);
  /** Of the window, in px of the page's own text size. */
  width = $state(1280);
  /** What a narrow window shows of the scripts view: there is room for one thing at a time. */
  pane = $state<'list' | 'detail' | 'log'>('list');

  get isNarrow(): boolean {
    return this.width <= 860;
  }
}
