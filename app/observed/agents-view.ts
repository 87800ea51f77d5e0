/** What was recognised on this host, as people and programs see it. */
import type { Watched } from '../agents/memory.ts';
import type { Observation } from '../agents/observed-script.ts';
import type { Recogniser } from '../agents/recogniser.ts';
import type { AgentsView } from '../contract/methods.ts';
import type { ProcessControl } from '../processes/index.ts';
import { isoTime, missingOf } from './views.ts';

export interface AgentsFacts {
  readonly observing: boolean;
  /** Null while nobody has looked. */
  readonly observation: Observation | null;
  readonly scripts: readonly Watched[];
  /** The recognisers in use on this system. */
  readonly known: readonly Recogniser[];
  readonly control: ProcessControl;
}

export function agentsView({ observing, observation, scripts, known, control }: AgentsFacts): AgentsView {
  return {
    observing,
    agents: (observation?.agents ?? []).map((a) => {
      const { pid, name } = a.process.identity;
      const ofKind = scripts.filter((w) => w.script.recogniser.key === a.key);
      return {
        key: a.key,
        name: a.name,
        pid,
        process: name,
        service: a.unit,
        scripts: scripts.filter((w) => w.script.agent?.process.identity.pid === pid && w.goneAt === null).length,
        verbs: known.find((r) => r.key === a.key)?.verbs.includes(control.platform) ?? false,
        missing: missingOf(
          ofKind.some((w) => w.script.hidden),
          control,
          ofKind[0]?.script.user ?? null,
        ),
      };
    }),
    known: known.map(({ key, name }) => ({ key, name })),
    queued: (observation?.queued ?? []).map((q) => ({
      id: q.id,
      agent: known.find((r) => r.key === q.agentKey)?.name ?? q.agentKey,
      name: q.title,
      mutex: q.mutex,
      isolation: q.isolation,
      since: isoTime(q.since),
      behind: q.behind,
    })),
    missing: missingOf(
      scripts.some((w) => w.script.hidden),
      control,
      null,
    ),
  };
}
