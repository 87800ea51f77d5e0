/** Identities, people and scripts that do not exist, for rules that only compare them. */
import type { ConditionFacts } from '../../app/domain/condition-facts.ts';
import { defaultThresholds } from '../../app/domain/condition-facts.ts';
import type { Survivor, SurvivorReason } from '../../app/domain/events.ts';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import type { Waiter } from '../../app/domain/mutex.ts';
import type { Actor, IsolationLevel, ScriptSpec, TreeScope, VerdictRecord } from '../../app/domain/script.ts';

/** 20 November 2026, 03:12:50 in the machine's own zone, so that clock times in texts are the same everywhere. */
export const at0312 = new Date(2026, 10, 20, 3, 12, 50).getTime();
export const minute = 60_000;
export const hour = 3_600_000;

export const kim: Actor = { user: 'CONTOSO\\kim', via: 'window' };
export { unjam } from '../../app/domain/script.ts';

export function identity(pid: number, changes: Partial<ProcessIdentity> = {}): ProcessIdentity {
  return {
    machine: 'WEB-EU-07',
    bootId: 'boot-1',
    pidNamespace: 'host',
    pid,
    startTime: `start-of-${pid}`,
    startedAt: at0312 - 52 * minute,
    name: `program-${pid}.exe`,
    ...changes,
  };
}

export function scope(pid: number, runId = `run-${pid}`): TreeScope {
  return { root: identity(pid), runId, group: pid, job: null };
}

export function waiter(id: string, level: IsolationLevel = 'full', changes: Partial<Waiter> = {}): Waiter {
  return {
    id,
    ticket: `ticket-${id}`,
    name: `Deploy ${id}`,
    level,
    runner: identity(1000),
    ancestors: [],
    queuedAt: at0312,
    ...changes,
  };
}

/** `true` without mutex, limits or notify command, accepted now. */
export function specOf(ticket: string, changes: Partial<ScriptSpec> = {}): ScriptSpec {
  return {
    schema: 1,
    ticket,
    runId: `run-${ticket}`,
    name: ticket,
    command: ['true'],
    file: '/bin/true',
    cwd: '/',
    isolation: null,
    timeouts: { overallMs: null, noOutputMs: null },
    cancel: { signal: 'SIGTERM', graceMs: 1 },
    environmentNames: [],
    notify: null,
    cleanup: null,
    ancestors: [],
    actor: kim,
    createdAt: Date.now(),
    ...changes,
  };
}

export function survivor(
  pid: number,
  reason: SurvivorReason = 'kernel',
  detail = 'state kernel, SIGKILL pending',
): Survivor {
  return { process: identity(pid), reason, detail };
}

export function verdict(changes: Partial<VerdictRecord> = {}): VerdictRecord {
  return {
    schema: 1,
    kind: 'exited',
    timeout: null,
    exitCode: 0,
    signal: null,
    at: at0312,
    durationMs: 4 * minute,
    detail: null,
    actor: null,
    ...changes,
  };
}

/** A running script that holds its mutex, wrote 3 s ago, and for which nobody waits. */
export function facts(changes: Partial<ConditionFacts> = {}): ConditionFacts {
  return {
    now: at0312,
    state: 'running',
    stage: { kind: 'running' },
    verdict: null,
    pid: 7312,
    mutex: 'RunningScript',
    holdsMutex: true,
    createdAt: at0312 - 13 * minute,
    startedAt: at0312 - 12 * minute,
    lastOutputAt: at0312 - 3_000,
    blocks: 0,
    waiting: null,
    orphan: false,
    orphanEndedAt: null,
    abandoned: null,
    health: { windowMs: minute, cpuMs: 0, ioBytes: 0, processes: 3 },
    usual: null,
    thresholds: defaultThresholds,
    ...changes,
  };
}
