/**
 * The host in numbers, in the text format of Prometheus (0.0.4). No label is a name that somebody gave: neither a
 * script's nor a mutex's, so that their number stays small and nothing private is in them.
 */
import type { AlertCounts } from '../alerts/alerts.ts';
import type { MutexView, ScriptView } from '../contract/methods.ts';
import { scriptStates } from '../domain/script.ts';
import { type Tally, waitBounds } from '../scripts/tally.ts';

export interface Measured {
  readonly version: string;
  /** Ms since 1970. */
  readonly startedAt: number;
  readonly now: number;
  /** Those that live. */
  readonly scripts: readonly ScriptView[];
  readonly mutexes: readonly MutexView[];
  readonly tally: Tally;
  readonly alerts: AlertCounts & { readonly pending: number };
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number, suffix?: string];

export function metricsText({ version, startedAt, now, scripts, mutexes, tally, alerts }: Measured): string {
  const states = scriptStates.filter((state) => state !== 'final');
  const since = mutexes.flatMap(({ waiters }) => waiters.map((waiter) => now - Date.parse(waiter.since)));
  return [
    metric('unjam_build_info', 'gauge', 'The version of the host.', [[{ version }, 1]]),
    metric('unjam_start_time_seconds', 'gauge', 'When the host began, since 1970.', [[{}, startedAt / 1_000]]),
    metric('unjam_scripts', 'gauge', 'Living scripts by state.', states.map((state) => [{ state }, count(scripts, (s) => s.state === state)])),
    metric('unjam_scripts_stuck', 'gauge', 'Living scripts that look stuck.', [[{}, count(scripts, (s) => s.stuck)]]),
    metric('unjam_orphans', 'gauge', 'Abandoned scripts that still run.', [[{}, count(scripts, (s) => s.orphan)]]),
    metric('unjam_mutexes_held', 'gauge', 'Mutexes that somebody holds.', [[{}, count(mutexes, (m) => m.holders.length > 0)]]),
    metric('unjam_mutexes_paused', 'gauge', 'Mutexes whose queue is paused.', [[{}, count(mutexes, (m) => m.paused)]]),
    metric('unjam_waiters', 'gauge', 'Scripts and commands that wait for a mutex.', [[{}, since.length]]),
    metric('unjam_oldest_wait_seconds', 'gauge', 'How long the one that has waited longest for a mutex waits; 0 when nobody does.', [[{}, Math.max(0, ...since) / 1_000]]),
    metric('unjam_scripts_started_total', 'counter', 'Scripts that began to run.', [[{}, tally.started]]),
    metric('unjam_runner_starts_total', 'counter', 'Runners that were begun, the one that waits for the next script included.', [[{}, tally.runners]]),
    metric('unjam_verdicts_total', 'counter', 'Scripts that became final, by verdict.', [...tally.verdicts].map(([verdict, n]) => [{ verdict }, n])),
    metric('unjam_actions_total', 'counter', 'Cancel, Force Kill and Abandon, by whoever asked, the host itself included.', [...tally.actions].map(([action, n]) => [{ action }, n])),
    metric('unjam_alerts_total', 'counter', 'Tries to deliver an alert, by what came of it; given-up ones failed for a day.', [[{ outcome: 'delivered' }, alerts.delivered], [{ outcome: 'failed' }, alerts.failed], [{ outcome: 'given-up' }, alerts.givenUp]]),
    metric('unjam_alerts_pending', 'gauge', 'Alerts that wait for their delivery.', [[{}, alerts.pending]]),
    metric('unjam_lock_wait_seconds', 'histogram', 'How long scripts waited until they got their mutex.', [
      ...waitBounds.map((bound, i): Sample => [{ le: String(bound) }, tally.waits[i] ?? 0, '_bucket']),
      [{ le: '+Inf' }, tally.waited.count, '_bucket'],
      [{}, tally.waited.seconds, '_sum'],
      [{}, tally.waited.count, '_count'],
    ]),
  ].join(''); // prettier-ignore
}

const count = <T>(all: readonly T[], is: (one: T) => boolean): number => all.filter(is).length;

function metric(
  name: string,
  type: 'gauge' | 'counter' | 'histogram',
  help: string,
  samples: readonly Sample[],
): string {
  const lines = samples.map(([labels, value, suffix = '']) => {
    const all = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    return `${name}${suffix}${all.length === 0 ? '' : `{${all.join(',')}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
