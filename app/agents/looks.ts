/** What is concluded from one look and what was known before it. Pure. */
import { type Memory, remember, shifted } from './memory.ts';
import type { Observation, RecognisedAgent } from './observed-script.ts';

/** When a look was taken: wall clock, and the time that passes whatever the clock is set to. */
export interface Moment {
  readonly at: number;
  readonly seenAt: number;
}

export interface Seen {
  readonly memory: Memory;
  /** Of the look that it is from; null before the first one. */
  readonly moment: Moment | null;
  /** Every agent that was ever seen. */
  readonly agents: ReadonlySet<string>;
}

export const nothingSeen: Seen = { memory: new Map(), moment: null, agents: new Set() };

/** By how much the clock of the machine and the time that passed differ when somebody has set it, or the machine slept. */
const clockSetMs = 2_000;

export interface Conclusion {
  readonly seen: Seen;
  /** Agents that no look has shown before. */
  readonly newAgents: readonly RecognisedAgent[];
  /** Whether the list differs in more than its times. */
  readonly changed: boolean;
}

export function conclude(before: Seen, look: Moment & { readonly observation: Observation }): Conclusion {
  const { at, seenAt, observation } = look;
  const memory = remember(byClockOf(before, look), observation.scripts, at);
  const newAgents = observation.agents.filter((agent) => !before.agents.has(agentKey(agent)));
  return {
    seen: { memory, moment: { at, seenAt }, agents: new Set([...before.agents, ...newAgents.map(agentKey)]) },
    newAgents,
    changed: outline(before.memory) !== outline(memory),
  };
}

/** What is not looked at any more has not ended: nothing is said of it. */
export const without = (seen: Seen, recogniserKeys: readonly string[]): Seen => ({
  ...seen,
  memory: new Map([...seen.memory].filter(([, w]) => !recogniserKeys.includes(w.script.recogniser.key))),
});

/** What was seen before, by the clock of this look. */
function byClockOf({ memory, moment }: Seen, look: Moment): Memory {
  if (moment === null) return memory;
  const setBy = look.at - moment.at - (look.seenAt - moment.seenAt);
  return Math.abs(setBy) > clockSetMs ? shifted(memory, setBy) : memory;
}

const agentKey = ({ key, process: { identity } }: RecognisedAgent): string =>
  `${key}:${identity.pid}:${identity.startTime}`;

const outline = (memory: Memory): string =>
  JSON.stringify([...memory.values()].map((w) => [w.script.id, w.goneAt, w.script.members.length]));
