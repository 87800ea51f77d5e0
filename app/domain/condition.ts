/** The one sentence about a script, from measured facts: pure, the same in list, detail, CLI and journal. */
import { type ConditionFacts, isBusy, overdueBy, silentFor } from './condition-facts.ts';
import { finished } from './condition-final.ts';
import { processes } from './count.ts';
import { estimateText } from './estimate.ts';
import { fit, ordinal, plain, type ScriptCondition, scripts } from './condition-parts.ts';
import type { Actor } from './script.ts';
import { clockTime, fineDuration, longDuration, roughDuration, shortDuration } from './durations.ts';

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
        `Ending ${processes(stage.of)}; ${stage.ended} ${stage.ended === 1 ? 'is' : 'are'} gone.`,
        'info',
        'killing',
        'wait',
      );
    case 'ignored':
      return {
        key: 'cancel-ignored',
        label: blocking ? 'Stuck: Cancel ignored' : 'Cancel ignored',
        headline: `Cancel ignored: ${stage.left} of ${processes(stage.of)} were still running when the grace period ended at ${clockTime(stage.since)}.`,
        severity: blocking ? 'critical' : 'warning',
        icon: 'stop-slash',
        next: 'kill',
        stuck: blocking,
      };
    case 'signalling':
    case 'cancelling': {
      const left = Math.max(0, stage.until - f.now);
      return plain(
        'cancelling',
        fit(`Cancelling, ${shortDuration(left)} left`, `Cancelling, ${roughDuration(left)} left`),
        `${askedBy(f.stoppedBy ?? null, f.now - stage.since) ?? `Asked to stop at ${clockTime(stage.since)}`}. ${longDuration(left)} left to exit.${f.holdsMutex ? ' The mutex is still held.' : ''}`,
        'info',
        'stop',
        'wait',
      );
    }
    case 'gone':
      return plain('cleaning-up', 'Ended, cleaning up', 'Every process of the script is gone; its clean-up command may still run.', 'info', 'stop', 'wait'); // prettier-ignore
    default:
      break;
  }
  if (f.state === 'orphaned') {
    return {
      key: 'orphaned',
      label: 'Runner died, running',
      headline: `The runner of this script has died; PID ${f.pid} is still running. Its exit code will never be known.`,
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

/** Others look at the same script: each sees at once who began what. */
const askedBy = (by: Actor | null, ms: number): string | null =>
  by === null || by.via === 'unjam' ? null : `Cancel requested by ${by.user} ${shortDuration(Math.max(0, ms))} ago`;

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
        headline: `Stuck: no output for ${shortDuration(silent)}; ${scripts(f.blocks)} ${f.blocks === 1 ? 'is' : 'are'} waiting behind it.`,
        severity: 'critical',
        icon: 'triangle',
        next: 'cancel',
        stuck: true,
      };
    return plain(
      'silent',
      `Silent ${shortDuration(silent)}`,
      `No output for ${shortDuration(silent)}. ${f.blocks === 0 ? 'Nobody is waiting for it.' : `${scripts(f.blocks)} ${f.blocks === 1 ? 'is' : 'are'} waiting behind it; CPU and I/O are not measured yet.`}`,
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
      headline: `${stuck ? 'Stuck: u' : 'U'}sually takes ${shortDuration(f.usual.medianMs)}, has been running for ${shortDuration(f.now - (f.startedAt ?? f.now))}.`,
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
  if (w === null) return plain('waiting', 'Waiting', `Waiting for "${f.mutex}".`, 'info', 'hourglass', 'none');
  const place = `${ordinal(w.position)} of ${w.of}`;
  const short = `${w.position} of ${w.of}`;
  const label = (word: string): string => {
    const rough = `${word} ${roughDuration(f.now - f.createdAt)}`;
    return fit(
      `${word} ${shortDuration(f.now - f.createdAt)}, ${short}`,
      `${rough}, ${short}`,
      `${rough}, ${ordinal(w.position)}`,
    );
  };
  if (w.paused)
    return plain(
      'paused',
      fit(`Queue paused, ${short}`, `Queue paused, ${ordinal(w.position)}`),
      `Waiting for "${f.mutex}", which an operator has paused. ${place}. Next: resume the mutex.`,
      'warning',
      'hourglass-bar',
      'show-holder',
    );
  if (w.holder?.stuck)
    return plain(
      'blocked',
      label('Blocked'),
      `Cannot start: "${f.mutex}" has been held by a stuck script, "${w.holder.name}", for ${longDuration(w.holder.heldMs)}. ${place}.`,
      'warning',
      'hourglass-bar',
      'show-holder',
    );
  const soon = w.estimate === null ? '' : ` ${estimateText(w.estimate, f.now)}`;
  return plain(
    'waiting',
    label('Waiting'),
    w.holder === null
      ? `Waiting for "${f.mutex}". ${place}.${soon}`
      : w.holder.queued
        ? `Waiting for "${f.mutex}" behind "${w.holder.name}", which waits to run alone. ${place}.${soon}`
        : `Waiting for "${f.mutex}", held by "${w.holder.name}" for ${longDuration(w.holder.heldMs)}. ${place}.${soon}`,
    'info',
    'hourglass',
    'none',
  );
}
