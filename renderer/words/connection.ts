/** Sentences about the connection to the host. */
import { clockTime } from './times.ts';

export const unreachableSince = (since: string): string => `Unjam has been unreachable since ${clockTime(since)}`;

export const unreachableDetail = (isDesktop: boolean): string =>
  isDesktop
    ? 'What you see may be out of date. Scripts keep running. The console tries again; no action is possible until it is back.'
    : 'What you see may be out of date. Scripts keep running. If the host was restarted, it may have another address: the terminal in which it runs shows it.';

export const notConnected = 'Unjam is not connected to its host. Nothing can be ended now.';
export const notPossibleOffline = 'Not possible while Unjam is unreachable.';
export const outdatedHost = (how: string): string =>
  `This host cannot start scripts: its program ${how}. Restart the host.`;
export const connecting = 'Connecting to Unjam…';
export const slowStart = 'No answer for 5 s. It may still be starting; the console keeps trying.';
export const noAnswerYet = 'No answer from Unjam yet. It may still be starting.';
export const reading = 'Reading the scripts and mutexes of this host…';

/** Of what is loaded when it is looked at. */
export const notLoaded = 'This part could not be loaded. Reload the page.';
