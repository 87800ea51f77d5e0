/** The table of methods and events: what every transport mounts and every client sees. */
import { z } from 'zod';
import * as alerts from './alert-schemas.ts';
import type { ErrorBody } from './errors.ts';
import { FleetScripts } from './fleet-schemas.ts';
import * as i from './input-schemas.ts';
import * as logs from './log-schemas.ts';
import * as o from './observed-schemas.ts';
import * as s from './schemas.ts';
import * as settings from './settings-schemas.ts';

const query = <I extends z.ZodType, O extends z.ZodType>(about: string, input: I, output: O) =>
  ({ kind: 'query', about, input, output }) as const;
const command = <I extends z.ZodType, O extends z.ZodType>(about: string, input: I, output: O) =>
  ({ kind: 'command', about, input, output }) as const;

const nothing = z.strictObject({});
const observedOnly = z.strictObject({ id: o.ObservedId });
const ticketOnly = z.strictObject({ ticket: s.Ticket });

export const methods = {
  'host.info': query('names, versions and capabilities of the host', nothing, s.HostInfo),
  'host.retire': command(
    'ends this host so that another can take over; scripts go on',
    nothing,
    z.strictObject({ pid: z.int() }),
  ),
  'overview.get': query('everything the first screen shows', nothing, o.Snapshot),
  'scripts.list': query(
    'scripts; only living ones unless all',
    z.strictObject({ all: z.boolean().optional() }),
    z.array(s.ScriptView),
  ),
  'scripts.get': query('one script in full', ticketOnly, s.ScriptDetail),
  'scripts.follow': query(
    'waits until a script is not as it was; GET /scripts/TICKET/events streams the same',
    i.FollowInput,
    z.strictObject({
      mark: z.string().describe('of how the script is: give it as since, to wait for the next change'),
      complete: z.boolean().describe('the script is final: no more changes are told'),
      script: s.ScriptView,
    }),
  ),
  'scripts.why': query(
    'what keeps a script from making progress; measures its processes for about half a second',
    ticketOnly,
    s.Diagnosis,
  ),
  'scripts.start': command('starts a script; the same ticket never runs twice', i.StartInput, s.ScriptView),
  'scripts.cancel': command('asks a script to stop', i.CancelInput, s.ScriptView),
  'scripts.kill': command('ends the whole tree and verifies', i.KillInput, s.ScriptView),
  'scripts.endProcess': command(
    'ends one process of a script, not the script itself; the rest keeps running',
    i.EndProcessInput,
    s.ScriptView,
  ),
  'scripts.take': command('shows everybody who is on it; it locks nobody out', i.TakeInput, s.ScriptView),
  'scripts.abandon': command('releases the mutex; ends nothing', i.AbandonInput, s.ScriptView),
  'scripts.evidence': command(
    'saves a bundle of evidence into the run directory; ends nothing',
    ticketOnly,
    s.EvidenceSaved,
  ),
  'evidence.read': query('the bytes of a bundle of evidence', i.EvidenceReadInput, s.EvidencePart),
  'scripts.complete': command(
    'removes a final script’s run directory',
    ticketOnly,
    z.strictObject({ removed: z.boolean(), warning: z.string().nullable() }),
  ),
  'logs.read': query('the merged log of a script from a sequence number on', logs.LogReadInput, logs.LogPage),
  'logs.lines': query('lines of the merged log by their place', logs.LogLinesInput, logs.LogLines),
  'logs.search': query('counts and finds lines in the whole log', logs.LogSearchInput, logs.LogHits),
  'logs.line': query('the whole text of one line', logs.LogLineInput, logs.LogLineText),
  'locks.list': query('mutexes with holders, queues and orphans', nothing, z.array(s.MutexView)),
  'locks.abandon': command(
    'takes the mutex from a command under "unjam hold"; ends nothing; not for windows and browsers',
    i.AbandonHoldInput,
    s.MutexView,
  ),
  'locks.resume': command(
    'lets a paused mutex grant its queue again',
    z.strictObject({ name: z.string() }),
    s.MutexView,
  ),
  'history.list': query(
    'the journal, newest first',
    z.strictObject({
      sinceMs: z.int().min(0).optional(),
      ticket: s.Ticket.optional(),
      mutex: z.string().optional().describe('only entries of this mutex'),
      before: z.int().min(1).optional().describe('only entries older than the one of this id: the next page'),
      limit: z.int().min(1).max(10_000).optional(),
    }),
    z.array(s.HistoryEntry),
  ),
  'metrics.get': query(
    'the host in numbers, in the text format of Prometheus; GET /metrics gives the text alone',
    nothing,
    z.strictObject({ text: z.string() }),
  ),
  'settings.get': query('settings, where each comes from, and what is locked', nothing, settings.SettingsView),
  'settings.set': command(
    'changes settings at once; locked ones are refused',
    settings.SettingsChange,
    settings.SettingsView,
  ),
  'alerts.get': query(
    'where alerts go, which ones are current, and what could not be delivered',
    nothing,
    alerts.AlertsView,
  ),
  'alerts.test': command(
    'sends a test message to the targets of the setting alerts, and says what came of it',
    alerts.AlertsTestInput,
    alerts.AlertsTested,
  ),
  'agents.list': query('deployment agents seen on this host, and which are looked for', nothing, o.AgentsView),
  'observed.list': query('scripts that agents started by themselves', nothing, z.array(o.ObservedView)),
  'observed.get': query('one observed script in full', observedOnly, o.ObservedDetail),
  'observed.why': query(
    'why an observed script makes no progress, as measured now; takes about half a second',
    observedOnly,
    s.Diagnosis,
  ),
  'observed.log': query('the agent’s own log of an observed script, where it lies', o.ObservedLogInput, o.ObservedLog),
  'observed.cancel': command(
    'asks the script part to stop; its agent and carriers are spared',
    o.ObservedCancelInput,
    o.ObservedView,
  ),
  'observed.kill': command(
    'ends the script part and verifies; its agent and carriers are spared',
    o.ObservedKillInput,
    o.ObservedView,
  ),
  'observed.take': command(
    'shows everybody who is on an observed script; it locks nobody out',
    o.ObservedTakeInput,
    o.ObservedView,
  ),
  'observed.evidence': command(
    'saves a bundle of evidence of an observed script into the state directory; ends nothing',
    observedOnly,
    s.EvidenceSaved,
  ),
  'foreignLocks.list': query('locks of the machine and of agents: seen, never released', nothing, o.ForeignLocks),
  'fleet.get': query('the hosts of the fleet, with the mutexes of the fleet that each holds', nothing, s.FleetView),
  'fleet.scripts': query(
    'the living scripts of the other hosts of the fleet; only for the account of the host, after "unjam fleet login"',
    nothing,
    FleetScripts,
  ),
  'drill.start': command('starts a harmless hung deployment with a queue behind it', i.DrillInput, s.Drill),
  'console.open': command(
    'makes an address that opens the console once, in a browser of the caller’s account; not for windows and browsers',
    nothing,
    s.ConsoleAddress,
  ),
} as const satisfies Record<string, { kind: 'query' | 'command'; about: string; input: z.ZodType; output: z.ZodType }>;

/** Events carry whole snapshots: a client that missed some is right again after the next one. At most 4 a second. */
export const events = { snapshot: o.Snapshot } as const;

export type Method = keyof typeof methods;
export type Input<M extends Method> = z.input<(typeof methods)[M]['input']>;
export type Parsed<M extends Method> = z.output<(typeof methods)[M]['input']>;
export type Output<M extends Method> = z.output<(typeof methods)[M]['output']>;
export type EventName = keyof typeof events;
export type EventPayload<E extends EventName> = z.output<(typeof events)[E]>;

export type ScriptView = z.output<typeof s.ScriptView>;
export type ScriptDetail = z.output<typeof s.ScriptDetail>;
export type ProcessView = z.output<typeof s.ProcessView>;
export type Diagnosis = z.output<typeof s.Diagnosis>;
export type MutexView = z.output<typeof s.MutexView>;
export type Overview = z.output<typeof s.Overview>;
export type Snapshot = z.output<typeof o.Snapshot>;
export type ObservedView = z.output<typeof o.ObservedView>;
export type ObservedDetail = z.output<typeof o.ObservedDetail>;
export type AgentsView = z.output<typeof o.AgentsView>;
export type ForeignLocks = z.output<typeof o.ForeignLocks>;
export type LogEntry = z.output<typeof logs.LogEntry>;
export type LogPage = z.output<typeof logs.LogPage>;
export type LogLine = z.output<typeof logs.LogLine>;
export type LogLines = z.output<typeof logs.LogLines>;
export type LogHits = z.output<typeof logs.LogHits>;
export type HistoryEntry = z.output<typeof s.HistoryEntry>;
export type HostInfo = z.output<typeof s.HostInfo>;
export type FleetView = z.output<typeof s.FleetView>;
export type FleetScripts = z.output<typeof FleetScripts>;
export type Settings = z.output<typeof settings.Settings>;
export type SettingKey = keyof Settings;
export type AlertsView = z.output<typeof alerts.AlertsView>;
export type AlertsTested = z.output<typeof alerts.AlertsTested>;
export type SettingsView = z.output<typeof settings.SettingsView>;
export type Condition = z.output<typeof s.Condition>;
export type Severity = Condition['severity'];

/** What the renderer, the CLI and tests talk to, whatever the transport. */
export interface Client {
  call<M extends Method>(method: M, input: Input<M>): Promise<Output<M>>;
  /** Calls `listener` with every event; returns what ends the subscription. `onLost` tells that the connection broke. */
  on<E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void, onLost?: () => void): () => void;
}

/** How a transport answers: thrown errors do not cross, values do. */
export type Reply<T = unknown> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ErrorBody };
