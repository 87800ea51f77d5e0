/** What the middle answers. */
import type { FileAnswer, Row, Want } from './known.ts';
import type { LogForm, Recogniser } from './recogniser.ts';

export interface RecognisedAgent {
  readonly key: string;
  readonly name: string;
  readonly process: Row;
  /** The service that runs it, as the system tells it. */
  readonly unit: string | null;
}

export interface ObservedScript {
  readonly id: string;
  readonly recogniser: Recogniser;
  /** Of the agent on this machine; null where it has none, or has gone. */
  readonly agent: RecognisedAgent | null;
  /** The process that the id is made of. */
  readonly root: Row;
  /** Root first; more than one where the parts of a run have lost their common parent. */
  readonly roots: readonly Row[];
  readonly carriers: readonly Row[];
  /** The script part, parents first: the only processes that a verb may ever reach. */
  readonly members: readonly Row[];
  readonly title: string;
  /** Captured from words, and the named variables. */
  readonly fields: Readonly<Record<string, string>>;
  readonly user: string | null;
  readonly mutex: string | null;
  readonly isolation: 'full' | 'none' | null;
  readonly log: ObservedLog | null;
  /** Its agent has given up on it, or no carrier waits for it any more. */
  readonly leftBehind: string | null;
  /** Run ids and tickets of members that Unjam supervises; they are not among `members`. */
  readonly supervised: readonly { readonly runId: string; readonly ticket: string | null }[];
  /** What this user may not see. */
  readonly hidden: boolean;
}

export interface ObservedLog {
  readonly path: string;
  readonly form: LogForm;
  readonly maskedBy: 'agent' | 'nobody';
  readonly file: FileAnswer | null;
}

export interface Observation {
  readonly agents: readonly RecognisedAgent[];
  readonly scripts: readonly ObservedScript[];
  readonly queued: readonly QueuedScript[];
  readonly wants: readonly Want[];
}

export interface QueuedScript {
  /** Folder name, which is the script's ticket in Octopus. */
  readonly id: string;
  readonly agentKey: string;
  readonly title: string;
  readonly mutex: string;
  readonly isolation: 'full' | 'none';
  readonly since: number;
  /** Id of the observed script that has the mutex, as far as it can be told. */
  readonly behind: string | null;
}
