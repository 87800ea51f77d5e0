/** Why an observed script makes no progress: two looks at its processes, and what only agents know. */
import { setTimeout as delay } from 'node:timers/promises';
import { keyOf, type Row } from '../agents/known.ts';
import type { Diagnosis, ForeignLocks } from '../contract/methods.ts';
import { diagnose } from '../domain/diagnosis.ts';
import { longDuration } from '../domain/durations.ts';
import { type ExaminedProcess, shownProcess, unexamined } from '../domain/examination.ts';
import type { DiagnosisFacts, Finding } from '../domain/findings.ts';
import type { ForeignProcesses, ProcessControl } from '../processes/index.ts';
import { isoTime, type ViewFacts } from './views.ts';

/** Long enough for a share of CPU from ticks of 10 ms, short enough to wait for. */
const windowMs = 500;

export async function whyObserved(
  facts: () => ViewFacts,
  sources: {
    readonly control: ProcessControl;
    readonly foreign: ForeignProcesses;
    readonly locks: () => ForeignLocks['locks'];
    readonly lookAgain: () => Promise<void>;
  },
): Promise<Diagnosis> {
  const { control, foreign } = sources;
  const before = new Map(facts().watched.script.members.map((m) => [keyOf(m.identity), m.cpuMs]));
  const began = performance.now();
  if (before.size > 0) await delay(windowMs);
  await sources.lookAgain();
  const f = facts();
  const { script, log } = f.watched;
  const measuredMs = performance.now() - began;
  const processes = script.members.map((m, i) => examined(control, foreign, m, before, i === 0));
  const now = Date.now();
  const measured: DiagnosisFacts = {
    now,
    state: 'running',
    stage: { kind: 'running' },
    verdict: null,
    signal: control.defaultSignal,
    startedAt: script.root.identity.startedAt,
    createdAt: script.root.identity.startedAt,
    waiting: null,
    output: { bytes: log?.bytes ?? 1, lastAt: log?.grewAt ?? now, lastLine: null, silentAfterMs: f.silentAfterMs },
    runner: null,
    windowMs: measuredMs,
    processes,
    examined: control.examine !== undefined,
  };
  const own = ofAgent(f, sources.locks());
  const general = diagnose(measured).filter((x) => own.length === 0 || x.key !== 'nothing-unusual');
  return {
    ticket: script.id,
    name: script.title,
    at: isoTime(now),
    measuredMs: Math.round(measuredMs),
    findings: [...own, ...general].map((x) => ({ ...x, evidence: [...x.evidence], pids: [...x.pids] })),
    processes: processes.map(shownProcess),
  };
}

function ofAgent(f: ViewFacts, locks: ForeignLocks['locks']): Finding[] {
  const { script } = f.watched;
  const { stage, now } = f;
  const found: Finding[] = [];
  if (stage.kind === 'carrier-waits')
    found.push({
      key: 'output-held-open',
      text: `The script has gone, but its output is held open by ${stage.holders.map((h) => `PID ${h.pid} (${h.name})`).join(', ')}; ${stage.carrier.name} (PID ${stage.carrier.pid}) reads until that ends.`,
      evidence: stage.holders.map((h) => `PID ${h.pid}: has the output open for writing`),
      pids: stage.holders.map((h) => h.pid),
      advice: 'End these processes, if they are not wanted; it is a step of its own.',
    });
  if (script.leftBehind !== null)
    found.push({
      key: 'agent-given-up',
      text: `${script.leftBehind} It runs for ${longDuration(now - script.root.identity.startedAt)}.`,
      evidence: [`carriers: ${script.carriers.length}`, `processes: ${script.members.length}`],
      pids: script.members.map((m) => m.identity.pid),
      advice: 'Nobody waits for its result: Force Kill ends it, if it is not wanted.',
    });
  found.push(...waitsForLocks(new Set(script.members.map((m) => m.identity.pid)), locks));
  for (const waiter of f.waiters.slice(0, 10))
    found.push({
      key: 'blocks-others',
      text: `"${waiter}" waits for it${script.mutex === null ? '' : `: it has "${script.mutex}" of ${script.recogniser.name}`}.`,
      evidence: [`waiters: ${f.waiters.length}`],
      pids: [],
      advice: null,
    });
  return found;
}

function examined(
  control: ProcessControl,
  foreign: ForeignProcesses,
  row: Row,
  before: ReadonlyMap<string, number | null>,
  isRoot: boolean,
): ExaminedProcess {
  const { identity, cpuMs } = row;
  const earlier = before.get(keyOf(identity)) ?? null;
  const user = foreign.user(identity);
  return {
    ...unexamined,
    ...control.examine?.(identity),
    pid: identity.pid,
    parentPid: row.parentPid,
    name: identity.name,
    isRoot,
    state: row.state,
    user,
    foreign: !control.elevated && user !== null && user !== control.user,
    atGate: false,
    cpuMs,
    cpuDeltaMs: cpuMs === null || earlier === null ? null : Math.max(0, cpuMs - earlier),
  };
}

export function waitsForLocks(members: ReadonlySet<number>, locks: ForeignLocks['locks']): Finding[] {
  return locks.flatMap((lock) =>
    lock.waiters
      .filter((waiter) => members.has(waiter.pid))
      .map((waiter): Finding => {
        const holder = `PID ${lock.holder.pid} (${lock.holder.name})${lock.holder.script === null ? '' : ` of ${lock.holder.script}`}`;
        return {
          key: 'waits-for-foreign-lock',
          text: `PID ${waiter.pid} (${waiter.name}) ${waiter.seen === 'kernel' ? 'waits' : 'probably waits'} for the lock of ${lock.name}, which ${holder} has.`,
          evidence: [`${lock.path}: ${lock.kind}, held by PID ${lock.holder.pid}`, `waiter: ${waiter.seen}`],
          pids: [waiter.pid, lock.holder.pid],
          advice: lock.freedBy,
        };
      }),
  );
}
