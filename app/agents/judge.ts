/**
 * What a person reads about an observed script. With restraint: *stuck* is said only where somebody was seen waiting;
 * without a waiter it is at most *silent*, and of jobs that may be quiet not even that.
 */
import type { ConditionSeverity, NextStep, ScriptCondition } from '../domain/condition-parts.ts';
import { fit } from '../domain/condition-parts.ts';
import { processes } from '../domain/count.ts';
import { longDuration, shortDuration } from '../domain/durations.ts';
import type { Survivor } from '../domain/events.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import type { Watched } from './memory.ts';

/** How far the verbs have come with a script. */
export type ObservedStage =
  | { readonly kind: 'none' }
  | { readonly kind: 'cancelling'; readonly since: number; readonly until: number }
  | { readonly kind: 'cancel-ignored'; readonly since: number; readonly left: number; readonly of: number }
  | { readonly kind: 'not-deliverable'; readonly since: number; readonly why: string }
  | { readonly kind: 'killing'; readonly since: number; readonly of: number; readonly gone: number }
  | {
      readonly kind: 'unkillable';
      readonly since: number;
      readonly survivors: readonly Survivor[];
      readonly of: number;
    }
  | { readonly kind: 'ended'; readonly since: number; readonly how: 'cancel' | 'kill' }
  | {
      readonly kind: 'carrier-waits';
      readonly since: number;
      readonly how: 'cancel' | 'kill';
      readonly carrier: ProcessIdentity;
      readonly holders: readonly ProcessIdentity[];
    };

export interface JudgeFacts {
  readonly now: number;
  readonly watched: Watched;
  readonly stage: ObservedStage;
  /** Ticket of the script of Unjam that is all of it. */
  readonly through: string | null;
  /** Titles or names of those that were seen waiting for it. */
  readonly waiters: readonly string[];
  readonly silentAfterMs: number;
}

/** Null when there is no log to tell it. */
function silentMs({ watched, now }: JudgeFacts): number | null {
  const { log, firstSeenAt, script } = watched;
  if (log === null) return null;
  const since = log.grewAt ?? firstSeenAt;
  return Math.max(0, now - Math.max(since, Math.min(script.root.identity.startedAt, now)));
}

export function judge(f: JudgeFacts): ScriptCondition {
  const { watched, stage, now } = f;
  const { script } = watched;
  const name = script.recogniser.name;
  const blocks = f.waiters.length;
  const waited = blocks === 0 ? '' : ` ${blocks === 1 ? `"${f.waiters[0]}" waits` : `${blocks} wait`} for it.`;
  switch (stage.kind) {
    case 'cancelling':
      return row(
        'cancelling',
        `Cancelling, ${shortDuration(Math.max(0, stage.until - now))} left`,
        'info',
        'hourglass-bar',
        'wait',
        `Cancel was sent ${longDuration(now - stage.since)} ago.`,
      );
    case 'cancel-ignored':
      return row(
        'cancel-ignored',
        blocks > 0 ? 'Stuck: Cancel ignored' : 'Cancel ignored',
        blocks > 0 ? 'critical' : 'warning',
        'stop-slash',
        'kill',
        `Cancel was ignored: ${stage.left} of ${processes(stage.of)} are still there.${waited}`,
        blocks > 0,
      );
    case 'not-deliverable':
      return row(
        'not-deliverable',
        'Cancel not delivered',
        'warning',
        'stop-slash',
        'kill',
        `Cancel could not be delivered: ${stage.why}.`,
      );
    case 'killing':
      return row(
        'killing',
        `Killing, ${stage.gone} of ${stage.of}`,
        'info',
        'killing',
        'wait',
        `Ending ${processes(stage.of)}; ${stage.gone} gone.`,
      );
    case 'unkillable': {
      const first = stage.survivors[0];
      return row(
        'unkillable',
        'Unkillable',
        'critical',
        'octagon-x',
        'none',
        `Force Kill was sent, and ${stage.survivors.length} of ${processes(stage.of)} still exist${first === undefined ? '' : `: PID ${first.process.pid} (${first.process.name}), ${first.detail}`}. ${script.recogniser.instead}`,
        blocks > 0,
      );
    }
    case 'carrier-waits':
      return row(
        'carrier-waits',
        fit(`Gone, ${stage.carrier.name} waits`, 'Gone, carrier waits'),
        'warning',
        'ring',
        'kill',
        `The script has gone; ${stage.carrier.name} (PID ${stage.carrier.pid}) still waits, because its output is held open by ${stage.holders.map((h) => `PID ${h.pid} (${h.name})`).join(', ')}.`,
      );
    case 'ended':
      return row(
        'ended',
        stage.how === 'kill' ? 'Ended by Force Kill' : 'Ended by Cancel',
        'neutral',
        'ring-check',
        'none',
        `Gone, ended by ${stage.how === 'kill' ? 'Force Kill' : 'Cancel'}. ${script.recogniser.ended}`,
      );
    case 'none':
  }
  if (watched.goneAt !== null)
    return row('gone', 'Gone', 'neutral', 'ring-check', 'none', `It has ended. ${name} knows its result.`);
  if (f.through !== null)
    return row(
      'runs-through-unjam',
      'Runs through Unjam',
      'info',
      'play',
      'none',
      `It runs through Unjam under ticket ${f.through}.`,
    );
  if (script.leftBehind !== null)
    return row(
      'left-behind',
      'Left behind',
      'critical',
      'ring',
      'kill',
      `Left behind: ${script.leftBehind} It still runs, for ${longDuration(now - script.root.identity.startedAt)}.${waited}`,
      true,
    );
  const silence = silentMs(f);
  const idleMs = now - watched.workedAt;
  const isIdle = idleMs >= Math.min(f.silentAfterMs, 60_000) && watched.looks > 1;
  if (blocks > 0 && isIdle && (silence === null ? idleMs : silence) >= f.silentAfterMs)
    return row(
      'stuck',
      'Stuck: silent',
      'critical',
      'silent',
      'cancel',
      `Stuck: ${silence === null ? `no CPU used for ${longDuration(idleMs)}` : `no output for ${longDuration(silence)}`}.${waited}`,
      true,
    );
  if (script.recogniser.mayBeQuiet !== true && silence !== null && silence >= f.silentAfterMs)
    return isIdle
      ? row(
          'silent',
          `Silent ${shortDuration(silence)}`,
          'warning',
          'silent',
          'log',
          `No output for ${longDuration(silence)}, and no CPU used for ${longDuration(idleMs)}.`,
        )
      : row(
          'silent-busy',
          `Silent ${shortDuration(silence)}`,
          'info',
          'silent-busy',
          'wait',
          `No output for ${longDuration(silence)}; its processes work.`,
        );
  const age = longDuration(now - script.root.identity.startedAt);
  if (script.members.length === 0)
    return row(
      'between',
      'Between two steps',
      'info',
      'play',
      'wait',
      `${name} runs this job and has no script below it now.`,
    );
  return row('running', 'Running', 'info', 'play', 'wait', `Running for ${age}, started by ${name}.${waited}`);
}

const row = (
  key: string,
  label: string,
  severity: ConditionSeverity,
  icon: string,
  next: NextStep,
  headline: string,
  stuck = false,
): ScriptCondition => ({ key, label: fit(label), headline, severity, icon, next, stuck });
