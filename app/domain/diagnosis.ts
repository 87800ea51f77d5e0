/**
 * Why a script does not go on: classes of what was measured, each with its numbers, the most telling one first.
 * Pure. It names processes, kernel functions and times; it never guesses who is to blame.
 */
import { count } from './count.ts';
import { fineDuration, longDuration } from './durations.ts';
import { estimateText } from './estimate.ts';
import type { ExaminedProcess } from './examination.ts';
import { waits } from './diagnosis-waits.ts';
import { type DiagnosisFacts, type Finding, findingKeys } from './findings.ts';
import { limits } from './limits.ts';
import type { VerdictKind } from './script.ts';

/** A process that uses this much of one core between two looks works; it does not wait. */
const busyShare = 0.8;
/** A script that did nothing at all for this long has not got as far as its own first line. */
const neverRanAfterMs = limits.startMs;
const neverRanCpuMs = 50;

const named = (p: { readonly pid: number; readonly name: string }): string => `PID ${p.pid} (${p.name})`;

/** At least one finding, in the order of `findingKeys`. */
export function diagnose(f: DiagnosisFacts): Finding[] {
  if (f.verdict !== null && f.processes.length === 0) return [finished(f, f.verdict)];
  const found = [
    ...(f.verdict === null ? [] : [finished(f, f.verdict)]),
    ...ending(f),
    ...queue(f),
    ...(f.verdict === null ? runner(f) : []),
    ...f.processes.flatMap((p) => own(f, p)),
    ...waits(f),
    ...neverRan(f),
    ...silent(f),
  ];
  if (!f.examined && f.processes.length > 0)
    found.push({
      key: 'not-measured',
      text: `What ${count(f.processes.length, 'process', 'processes')} wait for cannot be measured on this system.`,
      evidence: f.processes.map((p) => `${named(p)}: state ${p.state}`),
      pids: f.processes.map((p) => p.pid),
      advice: null,
    });
  if (found.length === 0) found.push(nothing(f));
  return found.sort((a, b) => findingKeys.indexOf(a.key) - findingKeys.indexOf(b.key));
}

function finished(f: DiagnosisFacts, verdict: { kind: VerdictKind; at: number }): Finding {
  const left = f.processes.length;
  return {
    key: 'finished',
    text: `The script ended ${longDuration(f.now - verdict.at)} ago (${verdict.kind}); ${left === 0 ? 'none of its processes is left' : `${left} of its processes ${left === 1 ? 'is' : 'are'} still running`}.`,
    evidence: [`verdict: ${verdict.kind}`, `processes: ${left}`],
    pids: f.processes.map((p) => p.pid),
    advice: null,
  };
}

function ending(f: DiagnosisFacts): Finding[] {
  if (f.verdict !== null) return [];
  const { stage } = f;
  const signal = { 'ctrl-c': 'SIGINT', 'ctrl-break': 'SIGQUIT' }[f.signal as string] ?? f.signal;
  const deaf = f.processes.filter((p) => p.ignoredSignals?.includes(signal) || p.blockedSignals?.includes(signal));
  const handlers = f.processes.filter((p) => p.caughtSignals?.includes(signal));
  const evidence = [
    ...deaf.map((p) => `${named(p)} ${p.ignoredSignals?.includes(signal) ? 'ignores' : 'blocks'} ${signal}`),
    ...handlers.map((p) => `${named(p)} handles ${signal} itself`),
  ];
  const pids = [...deaf, ...handlers].map((p) => p.pid);
  switch (stage.kind) {
    case 'unkillable':
      return [
        {
          key: 'unkillable',
          text: `Force Kill was sent, and ${stage.survivors.length} of ${count(stage.of, 'process', 'processes')} still exist after ${longDuration(f.now - stage.since)}.`,
          evidence: stage.survivors.map((s) => `${named(s.process)}: ${s.reason}, ${s.detail}`),
          pids: stage.survivors.map((s) => s.process.pid),
          advice: 'Abandon releases the mutex; Unjam keeps watching these processes.',
        },
      ];
    case 'ignored':
      return [
        {
          key: 'cancel-ignored',
          text: `Cancel was ignored: ${stage.left} of ${count(stage.of, 'process', 'processes')} were still running when the grace period ended ${longDuration(f.now - stage.since)} ago.`,
          evidence: [`stage: ${stage.kind}`, `left: ${stage.left} of ${stage.of}`, ...evidence],
          pids,
          advice: 'Force Kill ends the whole tree.',
        },
      ];
    case 'signalling':
    case 'cancelling':
      return [
        {
          key: 'cancelling',
          text: `Cancel was sent ${longDuration(f.now - stage.since)} ago; ${longDuration(Math.max(0, stage.until - f.now))} of the grace period are left.`,
          evidence: [`stage: ${stage.kind}`, `signal: ${f.signal}`, ...evidence],
          pids,
          advice: deaf.length > 0 ? 'Force Kill does not need its help.' : null,
        },
      ];
    default:
      return [];
  }
}

function queue(f: DiagnosisFacts): Finding[] {
  const w = f.waiting;
  if (f.state !== 'queued' || w === null) return [];
  const place = `position ${w.position} of ${w.of}`;
  const soon = w.estimate === null ? '' : ` ${estimateText(w.estimate, f.now)}`;
  if (w.pausedBy !== null)
    return [
      {
        key: 'mutex-paused',
        text: `Has been waiting ${longDuration(f.now - f.createdAt)} for mutex "${w.mutex}"; ${w.pausedBy} has paused it.`,
        evidence: [`mutex: ${w.mutex}, paused by ${w.pausedBy}`, place],
        pids: [],
        advice: `"unjam locks resume ${w.mutex}" lets the queue continue.`,
      },
    ];
  const h = w.holder;
  return [
    {
      key: 'waits-for-mutex',
      text:
        h === null
          ? `Has been waiting ${longDuration(f.now - f.createdAt)} for mutex "${w.mutex}"; the holder is changing now.${soon}`
          : `Has been waiting ${longDuration(f.now - f.createdAt)} for mutex "${w.mutex}"; "${h.name}" (ticket ${h.ticket}${h.pid === null ? '' : `, PID ${h.pid}`}) has been ahead of it for ${longDuration(h.heldMs)}.${soon}`,
      evidence: [`mutex: ${w.mutex}`, place, ...(h === null ? [] : [`ahead: ${h.ticket}`])],
      pids: h?.pid == null ? [] : [h.pid],
      advice: h === null ? null : `"unjam why ${h.ticket}" looks at what it waits for.`,
    },
  ];
}

function runner(f: DiagnosisFacts): Finding[] {
  const r = f.runner;
  if (r === null) return [];
  const age = r.heartbeatAgeMs;
  const evidence = [`runner: PID ${r.pid}`, ...(age === null ? [] : [`heartbeat: ${fineDuration(age)} ago`])];
  const pids = [r.pid];
  if (!r.alive)
    return [
      {
        key: 'runner-gone',
        text: `The runner (PID ${r.pid}) is gone; the host watches the script in its place, and its exit code will never be known.`,
        evidence,
        pids,
        advice: 'Cancel and Force Kill work through the host.',
      },
    ];
  if (r.stopped)
    return [
      {
        key: 'runner-stopped',
        text: `The runner (PID ${r.pid}) is stopped by a signal (state T): limits and the exit code wait for it.`,
        evidence: [...evidence, 'state: stopped'],
        pids,
        advice: `"kill -CONT ${r.pid}" lets it continue; Force Kill and Abandon work without it.`,
      },
    ];
  if (age !== null && age > limits.heartbeatStaleMs)
    return [
      {
        key: 'runner-silent',
        text: `The runner (PID ${r.pid}) exists but has shown no sign of life for ${longDuration(age)}.`,
        evidence,
        pids,
        advice: 'The script keeps running; Force Kill and Abandon work without the runner.',
      },
    ];
  return [];
}

/** What a process is, apart from what it waits for. */
function own(f: DiagnosisFacts, p: ExaminedProcess): Finding[] {
  const found: Finding[] = [];
  const pids = [p.pid];
  if (p.foreign)
    found.push({
      key: 'other-user',
      text: `${named(p)} runs as ${p.user ?? 'another user'}; the host may not signal it.`,
      evidence: [`PID ${p.pid}: user ${p.user ?? 'unknown'}`],
      pids,
      advice: 'Run the host with the rights of that user, or end the process there; Abandon releases the mutex.',
    });
  if (p.state === 'stopped')
    found.push({
      key: 'stopped',
      text: `${named(p)} is stopped by a signal (state T); it does nothing until it is continued.`,
      evidence: [`PID ${p.pid}: state stopped`],
      pids,
      advice: `"kill -CONT ${p.pid}" lets it continue; Cancel also continues it.`,
    });
  if (p.atGate && f.startedAt !== null)
    found.push({
      key: 'at-gate',
      text: `${named(p)} has been waiting at Unjam's gate for ${longDuration(f.now - f.startedAt)}: the command has not begun.`,
      evidence: [`PID ${p.pid}: at the gate`],
      pids,
      advice: 'Look at the runner; Abandon releases the mutex.',
    });
  const cpu = p.cpuDeltaMs;
  if (cpu !== null && f.windowMs > 0 && cpu >= busyShare * f.windowMs)
    found.push({
      key: 'cpu-busy',
      text: `${named(p)} is using CPU: ${Math.round(cpu)} ms of CPU in ${Math.round(f.windowMs)} ms.`,
      evidence: [
        `PID ${p.pid}: CPU ${Math.round(cpu)} of ${Math.round(f.windowMs)} ms`,
        ...(p.cpuMs === null ? [] : [`CPU since its start: ${fineDuration(p.cpuMs)}`]),
      ],
      pids,
      advice: null,
    });
  return found;
}

function neverRan(f: DiagnosisFacts): Finding[] {
  const [root] = f.processes;
  if (f.startedAt === null || root === undefined || root.atGate || f.processes.length > 1) return [];
  const ranMs = f.now - f.startedAt;
  if (ranMs < neverRanAfterMs || f.output.bytes > 0 || root.cpuMs === null || root.cpuMs > neverRanCpuMs) return [];
  return [
    {
      key: 'never-ran',
      text: `Nothing was seen of the script's own work in ${longDuration(ranMs)}: 0 bytes written, ${Math.round(root.cpuMs)} ms of CPU, no child.`,
      evidence: ['output: 0 bytes', `PID ${root.pid}: CPU ${Math.round(root.cpuMs)} ms`, 'children: 0'],
      pids: [root.pid],
      advice:
        'What starts programs on this machine (a security product, a network drive) may keep it; see what it waits for.',
    },
  ];
}

function silent(f: DiagnosisFacts): Finding[] {
  if (f.verdict !== null || f.startedAt === null) return [];
  const { lastAt, lastLine, bytes, silentAfterMs } = f.output;
  const silence = f.now - Math.max(lastAt ?? 0, f.startedAt);
  if (silence < silentAfterMs) return [];
  return [
    {
      key: 'silent',
      text: `No output for ${longDuration(silence)}${lastLine === null ? '' : `; the last line was "${lastLine}"`}.`,
      evidence: [`output: ${bytes} bytes`, `silent for: ${longDuration(silence)}`],
      pids: [],
      advice: null,
    },
  ];
}

function nothing(f: DiagnosisFacts): Finding {
  const cpu = f.processes.reduce((sum, p) => sum + (p.cpuDeltaMs ?? 0), 0);
  return {
    key: 'nothing-unusual',
    text: `Nothing unusual was measured in ${count(f.processes.length, 'process', 'processes')} over ${Math.round(f.windowMs)} ms.`,
    evidence: [`state: ${f.state}`, `CPU: ${Math.round(cpu)} of ${Math.round(f.windowMs)} ms`],
    pids: f.processes.map((p) => p.pid),
    advice: null,
  };
}
