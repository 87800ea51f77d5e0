/** What observed scripts get from their host: what they may do, whom they ask, where their lines go. */
import type { Recogniser } from '../agents/recogniser.ts';
import type { Line } from '../domain/lines.ts';
import type { Actor } from '../domain/script.ts';
import type { JournalKind } from '../journal/journal.ts';
import type { ForeignProcesses, ProcessControl } from '../processes/index.ts';
import type { OnIt } from './on-it.ts';
import type { Askers } from './through-unjam.ts';

export interface ObservedSettings {
  readonly observe: boolean;
  /** Keys of agents that are not observed. */
  readonly ignore: readonly string[];
  /** Why verbs are switched off; null when they are not. */
  readonly verbsOff: string | null;
  readonly killOff: string | null;
  readonly silentAfterMs: number;
  readonly graceMs: number;
  readonly settleMs: number;
  /** More files whose locks are shown. */
  readonly lockPaths: readonly string[];
}

interface ObservedEntry {
  readonly line: Line;
  readonly kind: JournalKind;
  readonly actor: Actor;
  readonly id: string | null;
  readonly name: string | null;
  readonly mutex: string | null;
  readonly data: object;
}

export interface ObservedScriptsOptions {
  readonly control: ProcessControl;
  readonly foreign: ForeignProcesses;
  readonly settings: () => ObservedSettings;
  readonly killDisabled?: boolean;
  /** Who asked for the scripts of Unjam that live now. */
  readonly askers: () => Askers;
  /** Writes to journal, host log and Event Log. */
  readonly record: (entry: ObservedEntry) => void;
  /** Who was on which script when the last host ended; nobody when absent. */
  readonly onIt?: OnIt;
  /** Before Force Kill is sent: saves evidence, where it is wanted. Never rejects. */
  readonly beforeKill?: (id: string, actor: Actor) => Promise<void>;
  readonly recognisers?: readonly Recogniser[];
  readonly self?: number;
  readonly carrierMs?: number;
}
