/** Answers `scripts.why`: looks at a script's processes twice, and hands what was measured to the diagnosis. */
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Diagnosis, MutexView, ScriptDetail } from '../contract/methods.ts';
import { defaultThresholds } from '../domain/condition-facts.ts';
import { diagnose } from '../domain/diagnosis.ts';
import { type ExaminedProcess, shownProcess, unexamined } from '../domain/examination.ts';
import type { DiagnosisFacts } from '../domain/findings.ts';
import { nameKey } from '../domain/names.ts';
import type { ProcessControl, TreeMember } from '../processes/index.ts';
import { fileSize } from '../run-directory/run-directory.ts';
import type { ScriptRecord } from './record.ts';
import { isoTime } from './views/mutex-view.ts';

/** Long enough for a share of CPU from ticks of 10 ms, short enough to wait for. */
const windowMs = 500;
const tailBytes = 4_096;
const lineMax = 200;

export interface WhySources {
  readonly control: ProcessControl;
  readonly record: (ticket: string) => ScriptRecord;
  readonly detail: (ticket: string) => ScriptDetail;
  readonly locks: () => readonly MutexView[];
}

/** @throws UnjamError `unknown-ticket` */
export async function why(ticket: string, sources: WhySources): Promise<Diagnosis> {
  const { control } = sources;
  const record = sources.record(ticket);
  const scope = record.started?.scope ?? null;
  const over = record.tree !== null && record.tree.emptyAt !== null;
  const look = (): readonly TreeMember[] => (scope === null || over ? [] : control.tree(scope));
  const before = new Map(look().map((p) => [p.identity.pid, p.cpuMs]));
  const began = performance.now();
  if (before.size > 0) await delay(windowMs);
  const processes = look().map((member) => examined(control, member, before));
  const measuredMs = performance.now() - began;
  const facts = factsOf(record, sources, processes, measuredMs);
  return {
    ticket: record.spec.ticket,
    name: record.spec.name,
    at: isoTime(facts.now),
    measuredMs: Math.round(measuredMs),
    findings: diagnose(facts).map((f) => ({ ...f, evidence: [...f.evidence], pids: [...f.pids] })),
    processes: processes.map(shownProcess),
  };
}

function examined(
  control: ProcessControl,
  member: TreeMember,
  before: ReadonlyMap<number, number | null>,
): ExaminedProcess {
  const { identity, cpuMs } = member;
  const earlier = before.get(identity.pid) ?? null;
  const user = control.facts(identity)?.user ?? null;
  return {
    ...unexamined,
    ...control.examine?.(identity),
    pid: identity.pid,
    parentPid: member.parentPid,
    name: identity.name,
    isRoot: member.by === 'root',
    state: member.state,
    user,
    foreign: !control.elevated && user !== null && user !== control.user,
    atGate: control.atGate?.(identity) ?? false,
    cpuMs,
    cpuDeltaMs: cpuMs === null || earlier === null ? null : Math.max(0, cpuMs - earlier),
  };
}

function factsOf(
  record: ScriptRecord,
  sources: WhySources,
  processes: readonly ExaminedProcess[],
  measuredMs: number,
): DiagnosisFacts {
  const { control } = sources;
  const { spec } = record;
  const detail = sources.detail(spec.ticket);
  const now = Date.now();
  const { mutex, holder } = detail;
  const runner = record.runner?.runner ?? null;
  const heartbeat = record.heartbeatAt();
  return {
    now,
    state: record.state,
    stage: record.life.stage,
    verdict: record.verdict,
    signal: spec.cancel.signal,
    startedAt: record.started?.startedAt ?? null,
    createdAt: spec.createdAt,
    waiting:
      mutex === null || detail.queuePosition === null
        ? null
        : {
            mutex,
            pausedBy: sources.locks().find((m) => nameKey(m.name) === nameKey(mutex))?.pausedBy ?? null,
            position: detail.queuePosition,
            of: detail.queueLength ?? detail.queuePosition,
            estimate: detail.estimate
              ? {
                  from: Date.parse(detail.estimate.from),
                  to: Date.parse(detail.estimate.to),
                  runs: detail.estimate.runs,
                }
              : null,
            holder: holder === null ? null : { ...holder, heldMs: now - Date.parse(holder.since) },
          },
    output: {
      bytes: record.logBytes(),
      lastAt: record.lastOutputAt(),
      lastLine: lastLine(record),
      silentAfterMs: defaultThresholds.silentMs,
    },
    runner:
      runner === null
        ? null
        : {
            pid: runner.pid,
            alive: control.liveness(runner) !== 'dead',
            stopped: control.snapshot().some((p) => p.identity.pid === runner.pid && p.state === 'stopped'),
            heartbeatAgeMs: heartbeat === null ? null : Math.max(0, now - heartbeat),
          },
    windowMs: measuredMs,
    processes,
    examined: control.examine !== undefined,
  };
}

/** The last line that is not empty, of the stream that was written last. */
function lastLine({ directory }: ScriptRecord): string | null {
  const [path] = [directory.stdoutPath, directory.stderrPath]
    .map((p) => [p, fileSize(p)] as const)
    .filter(([, size]) => size.bytes > 0)
    .sort(([, a], [, b]) => (b.changedAt ?? 0) - (a.changedAt ?? 0))
    .map(([p]) => p);
  if (path === undefined) return null;
  const file = openSync(path, 'r');
  try {
    const { bytes } = fileSize(path);
    const buffer = Buffer.alloc(Math.min(bytes, tailBytes));
    const read = readSync(file, buffer, 0, buffer.length, Math.max(0, bytes - tailBytes));
    const line = buffer
      .toString('utf8', 0, read)
      .split(/\r?\n|\r/)
      .findLast((l) => l.trim() !== '');
    return line?.trim().slice(0, lineMax) ?? null;
  } finally {
    closeSync(file);
  }
}
