/** Measured facts that nobody measured, for the rules that classify them. */
import type { ExaminedProcess, ExaminedThread } from '../../app/domain/examination.ts';
import type { DiagnosisFacts } from '../../app/domain/findings.ts';
import { at0312, minute } from './fake-domain.ts';

export function thread(changes: Partial<ExaminedThread> = {}): ExaminedThread {
  return { id: 12, state: 'sleeping', waitsIn: null, call: null, awaits: null, ...changes };
}

export function examinedProcess(changes: Partial<ExaminedProcess> = {}): ExaminedProcess {
  return {
    pid: 12,
    parentPid: 1,
    name: 'bash',
    isRoot: true,
    state: 'sleeping',
    user: 'root',
    foreign: false,
    atGate: false,
    cpuMs: 900,
    cpuDeltaMs: 0,
    ignoredSignals: [],
    caughtSignals: [],
    blockedSignals: [],
    killPending: false,
    threadCount: 1,
    threads: [thread()],
    ...changes,
  };
}

/** A running script of one process that wrote 3 s ago. */
export function diagnosisFacts(changes: Partial<DiagnosisFacts> = {}): DiagnosisFacts {
  return {
    now: at0312,
    state: 'running',
    stage: { kind: 'running' },
    verdict: null,
    signal: 'SIGTERM',
    startedAt: at0312 - 12 * minute,
    createdAt: at0312 - 13 * minute,
    waiting: null,
    output: { bytes: 80, lastAt: at0312 - 3_000, lastLine: 'copying', silentAfterMs: 10 * minute },
    runner: { pid: 40, alive: true, stopped: false, heartbeatAgeMs: 1_000 },
    windowMs: 500,
    processes: [examinedProcess()],
    examined: true,
    ...changes,
  };
}
