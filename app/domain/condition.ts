/** The one sentence about a script, from measured facts: pure, the same in list, detail, CLI and journal. */
import { clockTime, fineDuration, longDuration, roughDuration, shortDuration } from './durations.ts';
import type { Stage } from './progress.ts';
import type { Actor, ScriptState, VerdictRecord } from './script.ts';

/** All in ms unless named otherwise. */
export interface Thresholds {
  readonly silentMs: number;
  readonly busyCpuPercent: number;
  readonly overdueFactor: number;
  readonly overdueMinMs: number;
  readonly overdueMinRuns: number;
}

export const defaultThresholds: Thresholds = {
  silentMs: 600_000,
  busyCpuPercent: 1,
  overdueFactor: 3,
  overdueMinMs: 1_800_000,
  overdueMinRuns: 5,
};

/** What was measured over the last minute for the whole tree. */
export interface Health {
  readonly windowMs: number;
  readonly cpuMs: number;
  /** Null where the platform cannot tell. */
  readonly ioBytes: number | null;
  readonly processes: number;
}

export interface Usual {
  readonly medianMs: number;
  readonly maxMs: number;
  readonly runs: number;
}

export interface ConditionFacts {
  readonly now: number;
  readonly state: ScriptState;
  readonly stage: Stage;
  readonly verdict: VerdictRecord | null;
  readonly pid: number | null;
  readonly mutex: string | null;
  readonly holdsMutex: boolean;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly lastOutputAt: number | null;
  readonly blocks: number;
  readonly waiting: {
    readonly position: number;
    readonly of: number;
    readonly paused: boolean;
    readonly holder: { readonly name: string; readonly heldMs: number; readonly stuck: boolean } | null;
  } | null;
  readonly orphan: boolean;
  readonly orphanEndedAt: number | null;
  readonly abandoned: { readonly at: number; readonly by: Actor } | null;
  readonly health: Health | null;
  readonly usual: Usual | null;
  readonly thresholds: Thresholds;
  /** How long the machine slept since the last output and since the start: neither is silence nor run time. */
  readonly asleep?: { readonly sinceOutputMs: number; readonly sinceStartMs: number };
}

export type ConditionSeverity = 'critical' | 'warning' | 'info' | 'neutral' | 'orphan';
export type NextStep = 'cancel' | 'kill' | 'abandon' | 'wait' | 'show-holder' | 'log' | 'none';

export interface ScriptCondition {
  readonly key: string;
  readonly label: string;
  readonly headline: string;
  readonly severity: ConditionSeverity;
  readonly icon: string;
  readonly next: NextStep;
  readonly stuck: boolean;
}

const processCount = (n: number): string => `${n} ${n === 1 ? 'process' : 'processes'}`;
const scripts = (n: number): string => `${n} ${n === 1 ? 'script' : 'scripts'}`;

export function silentFor(f: ConditionFacts): number | null {
  if (f.startedAt === null) return null;
  return Math.max(0, f.now - Math.max(f.lastOutputAt ?? 0, f.startedAt) - (f.asleep?.sinceOutputMs ?? 0));
}

/** Null when nothing was measured yet: then nobody may be called silent *and not busy*. */
export function isBusy(f: ConditionFacts): boolean | null {
  if (f.health === null) return null;
  return (f.health.ioBytes ?? 0) > 0 || f.health.cpuMs > (f.health.windowMs * f.thresholds.busyCpuPercent) / 100;
}

export function overdueBy(f: ConditionFacts): number | null {
  if (f.startedAt === null || f.usual === null || f.usual.runs < f.thresholds.overdueMinRuns) return null;
  const limit = Math.max(f.thresholds.overdueFactor * f.usual.medianMs, f.thresholds.overdueMinMs);
  const over = f.now - f.startedAt - (f.asleep?.sinceStartMs ?? 0) - limit;
  return over > 0 ? over : null;
}

export function condition(f: ConditionFacts): ScriptCondition {
  if (f.verdict !== null) return finished(f, f.verdict);
  if (f.state === 'queued') return queued(f);
  const blocking = f.holdsMutex && f.blocks > 0;
  const { stage } = f;
  switch (stage.kind) {
    case 'unkillable': {
      const first = stage.survivors[0];
      const reason = first?.reason ?? 'other';
      const pid = first?.process.pid ?? f.pid ?? 0;
      const after = fineDuration(f.now - stage.since);
      const said = {
        kernel: [
          'in kernel',
          'octagon-x',
          `The system accepted the request to end PID ${pid}, but it still exists: ${first?.detail ?? ''}.`,
        ],
        pending: [
          'in kernel',
          'octagon-x',
          `The system accepted the request to end PID ${pid}, but it still exists: ${first?.detail ?? ''}.`,
        ],
        access: ['no access', 'octagon-lock', `The system refused to end PID ${pid}: ${first?.detail ?? ''}.`],
        protected: ['protected', 'octagon-shield', `PID ${pid} is a protected process: ${first?.detail ?? ''}.`],
        stopped: ['stopped', 'octagon-question', `PID ${pid} still exists: ${first?.detail ?? ''}.`],
        other: ['see detail', 'octagon-question', `PID ${pid} could not be ended: ${first?.detail ?? ''}.`],
      }[reason] as [string, string, string];
      return {
        key: 'unkillable',
        label: `Unkillable: ${said[0]}`,
        headline: `${blocking ? 'Stuck: ' : ''}Unkillable for ${after}. ${said[2]}`,
        severity: 'critical',
        icon: said[1],
        next: 'abandon',
        stuck: blocking,
      };
    }
    case 'killing':
      return plain(
        'killing',
        fit(`Killing, ${stage.ended} of ${stage.of} gone`, `Killing, ${stage.ended} of ${stage.of}`),
        `Ending ${processCount(stage.of)}; ${stage.ended} ${stage.ended === 1 ? 'is' : 'are'} gone.`,
        'info',
        'killing',
        'wait',
      );
    case 'cancel-ignored':
      return {
        key: 'cancel-ignored',
        label: blocking ? 'Stuck: Cancel ignored' : 'Cancel ignored',
        headline: `Cancel ignored: ${stage.left} of ${processCount(stage.of)} were still there when the grace ended at ${clockTime(stage.since)}.`,
        severity: blocking ? 'critical' : 'warning',
        icon: 'stop-slash',
        next: 'kill',
        stuck: blocking,
      };
    case 'cancelling': {
      const left = Math.max(0, stage.until - f.now);
      return plain(
        'cancelling',
        fit(`Cancelling, ${shortDuration(left)} left`, `Cancelling, ${roughDuration(left)} left`),
        `Asked to stop at ${clockTime(stage.since)}. ${longDuration(left)} left to exit.${f.holdsMutex ? ' The mutex is still held.' : ''}`,
        'info',
        'stop',
        'wait',
      );
    }
    default:
      break;
  }
  if (f.state === 'orphaned') {
    return {
      key: 'orphaned',
      label: 'Runner died, running',
      headline: `The runner of this script has died; PID ${f.pid} goes on. Its exit code cannot be learnt any more.`,
      severity: blocking ? 'critical' : 'warning',
      icon: 'question',
      next: blocking ? 'cancel' : 'log',
      stuck: false,
    };
  }
  if (f.state === 'starting')
    return plain('starting', 'Starting', 'The script is being started.', 'info', 'play', 'none');
  return running(f, blocking);
}

function running(f: ConditionFacts, blocking: boolean): ScriptCondition {
  const silent = silentFor(f) ?? 0;
  const busy = isBusy(f);
  const over = overdueBy(f);
  if (silent >= f.thresholds.silentMs) {
    if (busy === true)
      return plain(
        'silent-busy',
        fit(`Silent ${shortDuration(silent)}, but busy`, `Silent ${roughDuration(silent)}, but busy`),
        `No output for ${shortDuration(silent)}, but it uses CPU or writes data. Probably working.`,
        'warning',
        'silent-busy',
        'wait',
      );
    if (blocking && busy === false)
      return {
        key: 'stuck-silent',
        label: fit(`Stuck: silent ${shortDuration(silent)}`, `Stuck: silent ${roughDuration(silent)}`),
        headline: `Stuck: no output for ${shortDuration(silent)}; ${scripts(f.blocks)} ${f.blocks === 1 ? 'waits' : 'wait'} behind it.`,
        severity: 'critical',
        icon: 'triangle',
        next: 'cancel',
        stuck: true,
      };
    return plain(
      'silent',
      `Silent ${shortDuration(silent)}`,
      `No output for ${shortDuration(silent)}. ${f.blocks === 0 ? 'Nobody waits for it.' : `${scripts(f.blocks)} ${f.blocks === 1 ? 'waits' : 'wait'} behind it; CPU and I/O are not measured yet.`}`,
      'warning',
      'silent',
      'log',
    );
  }
  if (over !== null && f.usual !== null) {
    const stuck = blocking && busy === false;
    return {
      key: stuck ? 'stuck-overdue' : 'overdue',
      label: stuck
        ? fit(`Stuck: overdue ${shortDuration(over)}`, `Stuck: overdue ${roughDuration(over)}`)
        : `Overdue by ${shortDuration(over)}`,
      headline: `${stuck ? 'Stuck: u' : 'U'}sually takes ${shortDuration(f.usual.medianMs)}, runs for ${shortDuration(f.now - (f.startedAt ?? f.now))}.`,
      severity: stuck ? 'critical' : 'warning',
      icon: stuck ? 'triangle' : 'clock',
      next: stuck ? 'cancel' : 'log',
      stuck,
    };
  }
  return plain(
    'running',
    `Running ${shortDuration(f.now - (f.startedAt ?? f.now))}`,
    f.lastOutputAt === null ? 'Running. No output yet.' : `Running. Last output ${shortDuration(silent)} ago.`,
    'info',
    'play',
    'none',
  );
}

function queued(f: ConditionFacts): ScriptCondition {
  const w = f.waiting;
  if (w === null) return plain('waiting', 'Waiting', `Waits for "${f.mutex}".`, 'info', 'hourglass', 'none');
  const place = `${ordinal(w.position)} of ${w.of}`;
  const label = (word: string): string => {
    const rough = `${word} ${roughDuration(f.now - f.createdAt)}`;
    return fit(
      `${word} ${shortDuration(f.now - f.createdAt)}, ${place}`,
      `${rough}, ${place}`,
      `${rough}, ${ordinal(w.position)}`,
    );
  };
  if (w.paused)
    return plain(
      'paused',
      label('Held'),
      `Waits for "${f.mutex}", which an operator has paused. ${place}. Next: resume the mutex.`,
      'warning',
      'hourglass-bar',
      'show-holder',
    );
  if (w.holder?.stuck)
    return plain(
      'blocked',
      label('Blocked'),
      `Cannot start: "${f.mutex}" is held by a stuck script, "${w.holder.name}", for ${longDuration(w.holder.heldMs)}. ${place}.`,
      'warning',
      'hourglass-bar',
      'show-holder',
    );
  return plain(
    'waiting',
    label('Waiting'),
    w.holder === null
      ? `Waits for "${f.mutex}". ${place}.`
      : `Waits for "${f.mutex}", held by "${w.holder.name}" for ${longDuration(w.holder.heldMs)}. ${place}.`,
    'info',
    'hourglass',
    'none',
  );
}

function finished(f: ConditionFacts, v: VerdictRecord): ScriptCondition {
  const took = v.durationMs === null ? '' : ` after ${fineDuration(v.durationMs)}`;
  const by = v.actor === null ? '' : ` by ${v.actor.via === 'unjam' ? 'Unjam' : v.actor.user}`;
  switch (v.kind) {
    case 'exited':
      if (v.exitCode === 0)
        return plain(
          'finished',
          'Finished, exit code 0',
          `Finished in ${fineDuration(v.durationMs ?? 0)}.`,
          'neutral',
          'check',
          'none',
        );
      return v.exitCode === null
        ? plain(
            'failed',
            `Failed, ${v.signal}`,
            `Ended by ${v.signal}${took}, which Unjam did not send.`,
            'warning',
            'cross',
            'log',
          )
        : plain(
            'failed',
            fit(`Failed, exit code ${v.exitCode}`, `Failed, 0x${v.exitCode.toString(16).toUpperCase()}`),
            `Failed with exit code ${v.exitCode}${took}.`,
            'warning',
            'cross',
            'log',
          );
    case 'cancelled':
      return plain(
        'cancelled',
        fit(`Cancelled${by}`),
        v.durationMs === null
          ? `Cancelled${by} while it waited; it was never started.`
          : `Stopped${took}; Cancel was requested${by}.`,
        'neutral',
        'stop',
        'none',
      );
    case 'killed':
      return plain(
        'killed',
        fit(`Killed${by}`),
        `Force Kill${by} ended all its processes${took}.`,
        'neutral',
        'killing',
        'none',
      );
    case 'timed-out':
      if (v.timeout === 'mutex')
        return plain(
          'gave-up',
          fit(
            `Gave up waiting (${shortDuration(v.at - f.createdAt)})`,
            `Gave up waiting (${roughDuration(v.at - f.createdAt)})`,
          ),
          `Never started: "${f.mutex}" was not free within ${longDuration(v.at - f.createdAt)}.`,
          'warning',
          'hourglass-cross',
          'log',
        );
      return plain(
        'timed-out',
        `Timed out (${v.timeout})`,
        `Ended by Unjam${took}: its ${v.timeout === 'overall' ? 'time limit' : 'limit without output'} was reached.`,
        'warning',
        'clock',
        'log',
      );
    case 'abandoned':
      return abandonedCondition(f, v);
    case 'failed-to-start':
      return plain(
        'failed-to-start',
        'Failed to start',
        `It could not be started: ${v.detail ?? 'unknown reason'}.`,
        'warning',
        'cross',
        'log',
      );
    case 'never-started':
      return plain(
        'never-started',
        'Never started',
        `Never started: ${v.detail ?? 'unknown reason'}.`,
        'warning',
        'never-started',
        'log',
      );
    case 'lost':
      return plain(
        'lost',
        'Exit unknown',
        `Lost: ${v.detail ?? 'unknown reason'}. The exit code is unknown.`,
        'warning',
        'question',
        'log',
      );
  }
}

function abandonedCondition(f: ConditionFacts, v: VerdictRecord): ScriptCondition {
  const at = f.abandoned?.at ?? v.at;
  const by = f.abandoned ? ` by ${f.abandoned.by.user}` : '';
  if (f.orphan)
    return plain(
      'abandoned',
      'Abandoned, still running',
      `Abandoned at ${clockTime(at)}${by}. PID ${f.pid} still runs and may still change files. Unjam holds no mutex for it.`,
      'orphan',
      'ring',
      'none',
    );
  const ended = f.orphanEndedAt;
  return ended === null
    ? plain(
        'orphan-exited',
        'Abandoned, gone',
        `Abandoned at ${clockTime(at)}${by}. PID ${f.pid} no longer runs; when it ended is unknown.`,
        'neutral',
        'ring-check',
        'none',
      )
    : plain(
        'orphan-exited',
        `Orphan exited ${clockTime(ended).slice(0, 5)}`,
        `PID ${f.pid} ended at ${clockTime(ended)}, ${longDuration(ended - at)} after it was abandoned.`,
        'neutral',
        'ring-check',
        'none',
      );
}

function plain(
  key: string,
  label: string,
  headline: string,
  severity: ConditionSeverity,
  icon: string,
  next: NextStep,
): ScriptCondition {
  return { key, label, headline, severity, icon, next, stuck: false };
}

/** The first text that fits into a list label's 24 characters, fullest first; the last one is cut. */
function fit(...texts: readonly [string, ...string[]]): string {
  const last = texts.at(-1) ?? '';
  return texts.find((t) => t.length <= 24) ?? `${last.slice(0, 23)}…`;
}

export function ordinal(n: number): string {
  const tail = n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${tail}`;
}

/** Evidence for and against "stuck", each with its number and limit. */
export function evidence(f: ConditionFacts): { for: string[]; against: string[] } {
  const pro: string[] = [];
  const contra: string[] = [];
  if (f.verdict !== null || f.startedAt === null) return { for: pro, against: contra };
  const silent = silentFor(f) ?? 0;
  const limit = longDuration(f.thresholds.silentMs);
  if (silent >= f.thresholds.silentMs) pro.push(`No output for ${longDuration(silent)} (limit ${limit}).`);
  else
    contra.push(`${f.lastOutputAt === null ? 'Started' : 'Last output'} ${longDuration(silent)} ago (limit ${limit}).`);
  if ((f.asleep?.sinceOutputMs ?? 0) > 0)
    contra.push(`The machine slept for ${longDuration(f.asleep?.sinceOutputMs ?? 0)} of that time; it is not counted.`);
  if (f.health !== null) {
    const h = f.health;
    const io = h.ioBytes === null ? '' : ` and I/O ${h.ioBytes} bytes`;
    const measured = `CPU ${(h.cpuMs / 1000).toFixed(1)} s${io} in the last ${shortDuration(h.windowMs)}, ${h.processes === 1 ? '1 process' : `all ${h.processes} processes together`}.`;
    if (isBusy(f) === true) contra.push(`${measured} It is probably working.`);
    else pro.push(measured);
  }
  if (f.usual !== null && f.usual.runs > 0) {
    const usual = `Running for ${longDuration(f.now - f.startedAt)}. The last ${f.usual.runs} successful runs took ${shortDuration(f.usual.medianMs)} (median), ${shortDuration(f.usual.maxMs)} at most.`;
    (overdueBy(f) === null ? contra : pro).push(usual);
  }
  if (f.stage.kind === 'cancel-ignored')
    pro.push(
      `Cancel was ignored: ${f.stage.left} of ${processCount(f.stage.of)} were still there at ${clockTime(f.stage.since)}.`,
    );
  if (f.stage.kind === 'unkillable')
    for (const s of f.stage.survivors) pro.push(`PID ${s.process.pid} (${s.process.name}): ${s.detail}.`);
  if (f.mutex !== null && f.holdsMutex) {
    if (f.blocks > 0) pro.push(`${scripts(f.blocks)} ${f.blocks === 1 ? 'waits' : 'wait'} for "${f.mutex}".`);
    else contra.push(`Nobody waits for "${f.mutex}".`);
  }
  return { for: pro, against: contra };
}
