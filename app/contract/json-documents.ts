/** What the commands of the CLI print with `--json`, each beside `"schema": 1`. docs/json.md is made from this table. */
import { z } from 'zod';
import { roles } from '../domain/access.ts';
import { alertWays } from './alert-schemas.ts';
import { methods } from './methods.ts';
import { HostScripts } from './fleet-schemas.ts';
import * as logs from './log-schemas.ts';
import * as o from './observed-schemas.ts';
import * as s from './schemas.ts';
import { Settings } from './settings-schemas.ts';

const { access } = Settings.shape;

const Finding = z.strictObject({
  check: z.string(),
  ok: z.boolean(),
  text: z.string(),
  next: z.string().nullable().describe('what to do, when it is not good'),
});

const Ended = z
  .union([s.ScriptDetail, s.ScriptView, o.ObservedDetail])
  .describe('ScriptView with "--no-wait" and with "--pid"; ObservedDetail for an observed script');

const FleetEntry = z.strictObject({ ticket: z.string(), host: z.string(), name: z.string() });

export const jsonDocuments = {
  start: s.ScriptView,
  ps: z.strictObject({
    scripts: z.array(s.ScriptView),
    observed: z.array(o.ObservedView).describe('scripts that agents started by themselves'),
  }),
  status: z.union([s.ScriptDetail, o.ObservedDetail]),
  wait: s.ScriptDetail,
  why: s.Diagnosis,
  logs: z.union([logs.LogEntry, o.ObservedLog.shape.lines.element]),
  agents: o.AgentsView.extend({ scripts: z.array(o.ObservedView) }),
  locks: z.strictObject({
    mutexes: z.array(s.MutexView),
    foreign: o.ForeignLocks,
  }),
  'locks resume': s.MutexView,
  history: z.strictObject({ entries: z.array(s.HistoryEntry).describe('newest first') }),
  cancel: Ended,
  kill: Ended,
  abandon: z.union([s.ScriptView, s.MutexView]).describe('a mutex, for the ticket of a command under "unjam hold"'),
  take: z.union([s.ScriptView, o.ObservedView]),
  evidence: s.EvidenceSaved,
  retry: s.ScriptView,
  complete: methods['scripts.complete'].output,
  drill: s.Drill,
  'access list': z.strictObject({
    you: z.strictObject({ user: z.string(), role: z.enum(roles) }),
    access,
    managed: z.string().nullable().describe('who set it, when it cannot be changed here'),
  }),
  'access grant': z.strictObject({ access }),
  'access revoke': z.strictObject({ access }),
  'alerts list': methods['alerts.get'].output,
  'alerts set': z.strictObject({ targets: z.array(z.strictObject({ name: z.string(), to: z.enum(alertWays) })) }),
  'alerts test': methods['alerts.test'].output,
  'service status': z.strictObject({
    installed: z.boolean(),
    running: z.boolean(),
    text: z.string(),
    stateDirectory: z.string().nullable().describe('of the host of this machine; null when there is none'),
    door: z.string().nullable().describe('where people with a role reach it'),
  }),
  open: s.ConsoleAddress,
  'fleet doctor': z.strictObject({ findings: z.array(Finding.omit({ next: true })) }),
  'fleet hosts': z.strictObject({
    hosts: z.array(
      z.strictObject({
        id: z.string(),
        version: z.string(),
        state: z.enum(['reachable', 'unreachable', 'retired']),
        since: z.string().describe('when it was last seen, or retired'),
        why: z.string().nullable().describe('why it was retired'),
        holds: z.int(),
        waits: z.int(),
      }),
    ),
  }),
  'fleet ps': z.strictObject({ hosts: z.array(HostScripts) }),
  'fleet locks': z.strictObject({
    mutexes: z.array(
      z.strictObject({
        name: z.string(),
        paused: z.boolean(),
        holders: z.array(FleetEntry),
        waiters: z.array(FleetEntry).describe('first in line first'),
        orphans: z.array(FleetEntry).describe('abandoned; their processes may still run'),
      }),
    ),
  }),
  doctor: z.strictObject({ findings: z.array(Finding) }),
  /** On standard error, when a command fails. */
  error: z.strictObject({
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      next: z.string().describe('what to do now'),
      field: z.string().optional().describe('the option or field that is wrong'),
    }),
  }),
} as const satisfies Record<string, z.ZodType>;

export type JsonKind = keyof typeof jsonDocuments;
export type JsonDocument<K extends JsonKind> = z.output<(typeof jsonDocuments)[K]>;
