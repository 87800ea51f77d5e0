/** The one sentence about a script that is final, or abandoned. */
import type { ConditionFacts } from './condition-facts.ts';
import { fit, plain, type ScriptCondition } from './condition-parts.ts';
import { clockTime, fineDuration, longDuration, roughDuration, shortDuration } from './durations.ts';
import type { TimeoutKind, VerdictRecord } from './script.ts';

const limitNames: Partial<Record<TimeoutKind, string>> = {
  'first-output': 'limit without any output',
  'no-output': 'limit without output',
};

export function finished(f: ConditionFacts, v: VerdictRecord): ScriptCondition {
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
        `Killed${by}${v.durationMs === null ? '' : ` after running ${fineDuration(v.durationMs)}`}.`,
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
        `Ended by Unjam${took}: its ${(v.timeout && limitNames[v.timeout]) ?? 'time limit'} was reached.`,
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
      `Abandoned at ${clockTime(at)}${by}. PID ${f.pid} is still running and may still change files. Unjam holds no mutex for it.`,
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
