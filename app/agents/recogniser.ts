/**
 * What Unjam knows of one agent, as data. An agent starts scripts by itself; a carrier stands between the agent and
 * the script, waits for it and carries its result home. docs/agents.md tells how to add a recogniser.
 */

export type System = 'linux' | 'win32';

/** Fits a process when everything given fits. */
export interface Match {
  /**
   * Names of the executable in lower case, without `.exe`; `calamari*` fits every name that begins so. Linux keeps only
   * the first 15 bytes of a name, and a longer one here is cut in the same way.
   */
  readonly names?: readonly string[];
  /** Names that never fit. */
  readonly except?: readonly string[];
  /**
   * Tested against the command line, which is never shown, logged or stored; on Linux each argument is a line of its
   * own. Named groups become fields, so they must take a path, an id or a name, and nothing beside it.
   */
  readonly words?: RegExp;
}

export interface RunRule extends Match {
  /**
   * `child`: a child of the agent. `below`: the first process on each way down from the agent. `anywhere`: the topmost
   * such process, whoever its parent is.
   */
  readonly place: 'child' | 'below' | 'anywhere';
  /** Only where an ancestor fits this. */
  readonly under?: Match;
  /** Topmost processes that have the same value in this field are one run. */
  readonly together?: string;
  /** Only where systemd runs this process in a service of `Type=oneshot`. */
  readonly oneshotUnit?: true;
}

export interface CarrierRule extends Match {
  /** It is a carrier only while it has a child; else it does the script's work itself. */
  readonly whileItWaits?: true;
}

export type LogForm = 'tentacle' | 'timed-lines' | 'lines';

export interface LogRule {
  /** A path with `{field}`; the first one whose fields are known and that exists is read. */
  readonly paths?: readonly string[];
  /** The newest file of this folder, where the agent writes one file for each step. */
  readonly newestIn?: string;
  readonly form: LogForm;
  /** `agent`: the agent has masked secrets. `nobody`: it is as the script wrote it. */
  readonly maskedBy: 'agent' | 'nobody';
}

export interface Recogniser {
  /** Short and stable: `tentacle`. */
  readonly key: string;
  /** As people call it: `Octopus Tentacle`. */
  readonly name: string;
  readonly systems: readonly System[];
  /** The agent itself: never a target. Absent where the runs have no agent on this machine. */
  readonly agent?: Match;
  readonly run: RunRule;
  readonly carriers?: readonly CarrierRule[];
  /** The topmost process of the script, where a carrier has other children too. */
  readonly script?: Match;
  /** A script like this that no carrier waits for any more. `variable`: and that has this environment variable. */
  readonly leftBehind?: Match & { readonly variable?: string };
  /** The run is over for the agent when this path, with `{field}`, does not exist any more. */
  readonly givenUpWithout?: string;
  /** A variable that every job of this agent has: by it a command knows which agent started it. */
  readonly mark?: string;
  /** The only environment variables that are read, of the run and of its script. */
  readonly variables?: readonly string[];
  /** With `{field}`; the first one whose fields are all known. The last one has none. */
  readonly titles: readonly [...string[], string];
  readonly log?: LogRule;
  /** `tentacle`: scripts that wait without a process stand in the agent's folders. */
  readonly queue?: 'tentacle';
  /** An ordinary job of this kind may be quiet for days: it is never a warning by itself. */
  readonly mayBeQuiet?: true;
  /** Where Cancel and Force Kill are offered; elsewhere its scripts are shown only. */
  readonly verbs: readonly System[];
  /** What the agent makes of it when its script is ended. */
  readonly ended: string;
  /** In place of Abandon: what frees what the agent holds. */
  readonly instead: string;
}
