/**
 * The composition root that the Electron main process and `unjam serve` share: opens the state directory,
 * becomes its host or, when another host lives, a client of that one.
 */
import type { Dispatch } from './contract/dispatcher.ts';
import type { Snapshot } from './contract/methods.ts';

export interface ApplicationOptions {
  readonly stateDirectory: string;
  /** Gets every warning line and every problem of the host itself; one line each. */
  readonly log: (line: string) => void;
}

export interface Application {
  /** `client` when another host owns the state directory; everything below then goes through that one. */
  readonly role: 'host' | 'client';
  readonly dispatch: Dispatch;
  /** Calls `listener` now and with every later snapshot, at most 4 a second. Returns what ends it. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void;
  /** The machine woke up or went to sleep: clocks must not count that as silence. */
  power(what: 'suspend' | 'resume'): void;
  /** Closes the API and the journal. Scripts go on. */
  close(): Promise<void>;
}

export async function openApplication(_options: ApplicationOptions): Promise<Application> {
  throw new Error('being built');
}
