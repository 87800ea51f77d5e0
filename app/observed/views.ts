/** Observed scripts as people and programs see them. */
import { processes } from '../domain/count.ts';
import { judge, type ObservedStage } from '../agents/judge.ts';
import type { Watched } from '../agents/memory.ts';
import type { System } from '../agents/recogniser.ts';
import type { ObservedDetail, ObservedView } from '../contract/methods.ts';
import { actorText } from '../domain/lines.ts';
import type { ForeignProcesses, ProcessControl } from '../processes/index.ts';
import type { Attempt } from './ending.ts';
import type { Taken } from './on-it.ts';

export const isoTime = (ms: number): string => new Date(ms).toISOString();

export interface ViewFacts {
  readonly watched: Watched;
  readonly stage: ObservedStage;
  /** Ticket of the script of Unjam that is all of it: then that one is the one to act on. */
  readonly through: string | null;
  readonly attempts: readonly Attempt[];
  readonly waiters: readonly string[];
  readonly taken: Taken | null;
  readonly silentAfterMs: number;
  readonly now: number;
}

export function viewOf(f: ViewFacts): ObservedView {
  const { script, log } = f.watched;
  const top = script.members[0]?.identity ?? null;
  const condition = judge(f);
  const { stuck, ...shown } = condition;
  return {
    id: script.id,
    agent: {
      key: script.recogniser.key,
      name: script.recogniser.name,
      pid: script.agent?.process.identity.pid ?? null,
    },
    name: script.title,
    pid: top?.pid ?? null,
    process:
      top === null
        ? null
        : { pid: top.pid, startTime: top.startTime, startedAt: isoTime(top.startedAt), name: top.name },
    user: script.user,
    processes: script.members.length,
    startedAt: isoTime(script.root.identity.startedAt),
    lastOutputAt: log?.grewAt == null ? null : isoTime(log.grewAt),
    mutex: script.mutex,
    isolation: script.isolation,
    waiters: [...f.waiters],
    ticket: f.through ?? script.supervised[0]?.ticket ?? null,
    taken: f.taken && { ...f.taken, since: isoTime(f.taken.since), until: isoTime(f.taken.until) },
    stuck,
    leftBehind: script.leftBehind !== null,
    condition: shown as ObservedView['condition'],
  };
}

export interface DetailSources {
  readonly control: ProcessControl;
  readonly foreign: ForeignProcesses;
  readonly verbsOff: string | null;
}

export function detailOf(f: ViewFacts, { control, verbsOff }: DetailSources): ObservedDetail {
  const { script } = f.watched;
  const { stage } = f;
  const survivors = stage.kind === 'unkillable' ? stage.survivors : [];
  return {
    ...viewOf(f),
    carriers: script.carriers.map(({ identity }) => ({ pid: identity.pid, name: identity.name })),
    tree: script.members.map(({ identity, parentPid, cpuMs, state }) => {
      const facts = control.facts(identity);
      const survivor = survivors.find((s) => s.process.pid === identity.pid) ?? null;
      return {
        pid: identity.pid,
        parentPid,
        name: identity.name,
        startedAt: isoTime(identity.startedAt),
        cpuMs: cpuMs === null ? null : Math.round(cpuMs),
        ioBytes: facts?.ioBytes ?? null,
        state,
        waitsFor: facts?.waitsFor ?? null,
        survivor: survivor === null ? null : { reason: survivor.reason, detail: survivor.detail },
      };
    }),
    log:
      script.log === null
        ? null
        : { path: script.log.path, bytes: script.log.file?.bytes ?? null, maskedBy: script.log.maskedBy },
    attempts: f.attempts.map((a) => ({ ...a, at: isoTime(a.at), actor: actorText(a.actor) })),
    signal: control.platform === 'win32' ? 'ctrl-c' : 'SIGTERM',
    verbs: verbsOf(f, control.platform, verbsOff),
    instead: script.recogniser.instead,
    outputHolders:
      stage.kind === 'carrier-waits'
        ? stage.holders.map(({ pid, name, startedAt }) => ({ pid, name, startedAt: isoTime(startedAt) }))
        : [],
    missing: missingOf(script.hidden, control, script.user),
  };
}

/** Why no verb is possible, or what each does. */
function verbsOf(
  { watched: { script, goneAt }, stage, through }: ViewFacts,
  system: System,
  off: string | null,
): ObservedDetail['verbs'] {
  const no = (text: string) => ({ cancel: { possible: false, text }, kill: { possible: false, text } });
  const { recogniser } = script;
  if (off !== null) return no(off);
  if (!recogniser.verbs.includes(system))
    return no(`Scripts of ${recogniser.name} are shown only. ${recogniser.instead}`);
  if (stage.kind === 'carrier-waits')
    return {
      cancel: { possible: false, text: 'The script has gone.' },
      kill: {
        possible: true,
        text: 'Ends the processes that hold its output open, and nothing else. Confirm it as a step of its own.',
      },
    };
  if (through !== null) return no(`It runs through Unjam: use ticket ${through}.`);
  if (goneAt !== null || stage.kind === 'ended' || script.members.length === 0)
    return no('There is no process of the script now.');
  const spared =
    script.carriers.length === 0
      ? recogniser.ended
      : `${[...new Set(script.carriers.map((c) => c.identity.name))].join(', ')} and the agent are spared. ${recogniser.ended}`;
  return {
    cancel: { possible: true, text: `Asks ${processes(script.members.length)} to stop. ${spared}` },
    kill: {
      possible: true,
      text: `Ends ${processes(script.members.length)} at once, and checks that it is gone. ${spared}`,
    },
  };
}

export function missingOf(hidden: boolean, control: ProcessControl, user: string | null): string | null {
  if (!hidden) return null;
  return control.platform === 'win32'
    ? 'Job name and verbs need administrator rights: start Unjam elevated.'
    : `Job name and verbs need the rights of ${user ?? 'the agent’s user'} or root.`;
}
