/**
 * What is asked of processes that Unjam did not start: those of deployment agents. Command lines and environments hold
 * secrets of others: a command line is matched and thrown away, and of an environment only named variables leave here.
 */
import type { ProcessIdentity } from '../domain/identity.ts';
import type { SignalOutcome } from './control.ts';

export interface FileLock {
  readonly pid: number;
  readonly path: string;
  readonly kind: 'flock' | 'fcntl' | 'share-mode';
  readonly access: 'read' | 'write';
  /** Processes that the kernel keeps waiting for it. */
  readonly waiting: readonly number[];
}

export interface ForeignProcesses {
  /** The command line, on Linux one argument a line; null when it may not be read. Never to be shown, logged or sent. */
  words(of: ProcessIdentity): string | null;
  /** Of the environment only `names`; null when it may not be read. */
  variables(of: ProcessIdentity, names: readonly string[]): Readonly<Record<string, string>> | null;
  /** systemd service that it runs in; null elsewhere. */
  unit(of: ProcessIdentity): string | null;
  user(of: ProcessIdentity): string | null;
  /** Processes that are services of Windows themselves, by pid. */
  services(): ReadonlySet<number>;

  /** Stops a process before its tree is ended, so that nothing is forked away meanwhile; false where that cannot be. */
  freeze(of: ProcessIdentity): boolean;
  /** Takes that back from one that is not ended after all. */
  thaw(of: ProcessIdentity): void;
  /**
   * Asks these processes to stop and reaches no other one: signals to each of them; on Windows Ctrl-C, only when every
   * process of the console is among them.
   */
  interrupt(targets: readonly ProcessIdentity[]): Promise<SignalOutcome>;

  /** What its standard output and error go to, where that is a pipe: `pipe:[4711]`. */
  outputs(of: ProcessIdentity): readonly string[];
  /** Which other processes may still write to one of `outputs`. */
  writers(outputs: readonly string[]): readonly ProcessIdentity[];
  /** Whether it has one of these outputs open for reading. */
  reads(of: ProcessIdentity, outputs: readonly string[]): boolean;

  /** Locks that somebody has on these files. `hidden`: more rights would show more. */
  locksOn(paths: readonly string[]): { readonly locks: readonly FileLock[]; readonly hidden: boolean };
}
