/** What each method of the contract does on a host. */
import { type Access, unknownAccount } from '../access/access.ts';
import type { Alerts } from '../alerts/alerts.ts';
import type { Caller, Handlers } from '../contract/dispatcher.ts';
import { UnjamError } from '../contract/errors.ts';
import { type HostInfo, methods, type Snapshot } from '../contract/methods.ts';
import { contractProtocol } from '../contract/protocol.ts';
import { refusalsOf } from '../contract/roles.ts';
import { isObservedId } from '../domain/observed-id.ts';
import { startDrill } from '../drill/drill.ts';
import type { ConsoleDoor } from './console-door.ts';
import { whySources } from './evidence.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { FleetLogin } from './fleet-login.ts';
import type { FleetSeat } from './fleet-seat.ts';
import type { Journal } from '../journal/journal.ts';
import { observedHandlers } from '../observed/handlers.ts';
import type { ObservedScripts } from '../observed/observed-scripts.ts';
import { withObserved } from '../observed/open.ts';
import type { ProcessControl, ProgramFiles } from '../processes/index.ts';
import type { LogReaders } from '../scripts/log-readers.ts';
import type { RunnerCommand } from '../scripts/runner-pool.ts';
import type { Supervisor } from '../scripts/supervisor.ts';
import { isoTime } from '../scripts/views/mutex-view.ts';
import { why } from '../scripts/why.ts';
import {
  checkAbandon,
  checkAbandonHold,
  checkCancel,
  checkChange,
  checkKill,
  checkReason,
  lockVerbs,
} from '../settings/enforce.ts';
import type { SettingsStore } from '../settings/store.ts';
import { forces } from '../scripts/verbs/cancel.ts';
import { version } from '../version.ts';
import { Followers } from './followers.ts';
import { metricsText } from './metrics.ts';

export interface HandlerTools {
  readonly stateDirectory: string;
  readonly control: ProcessControl;
  readonly supervisor: Supervisor;
  readonly observed: ObservedScripts;
  readonly journal: Journal;
  readonly settings: SettingsStore;
  readonly access: Access;
  readonly alerts: Alerts;
  readonly consoleDoor: ConsoleDoor;
  readonly logs: LogReaders;
  readonly evidence: Evidence;
  readonly observedEvidence: Evidence;
  readonly subscribe: (listener: (snapshot: Snapshot) => void) => () => void;
  readonly seat: FleetSeat;
  readonly fleetLogin: FleetLogin;
  readonly runner: RunnerCommand;
  /** The files of this program, to tell when they were replaced. */
  readonly program: ProgramFiles;
  readonly killDisabled: boolean;
  /** Ends this process soon; absent where the host refuses to retire. */
  readonly retire?: () => void;
  readonly log: (line: string) => void;
}

const capabilities = [
  'start',
  'status',
  'follow',
  'why',
  'cancel',
  'kill',
  'abandon',
  'complete',
  'hold-queue',
  'inherit-hold',
  'locks',
  'history',
  'logs',
  'settings',
  'metrics',
  'alerts',
  'drill',
  'evidence',
  'end-process',
  'take',
  'console',
  'observed',
  'fleet-mutexes',
];

export function createHandlers(tools: HandlerTools): Handlers {
  const { stateDirectory, control, supervisor, observed, journal, settings, access, alerts, logs, evidence } = tools;
  const { runner, program, killDisabled, retire, log } = tools;
  const followers = new Followers({ view: (ticket) => supervisor.view(ticket), subscribe: tools.subscribe });
  const startedAt = Date.now();
  return {
    'host.info': (_input, _actor, caller: Caller): HostInfo => {
      const person = tools.fleetLogin.nameOf(caller);
      return {
        name: 'unjam',
        version,
        protocol: contractProtocol,
        pid: control.self.pid,
        machine: control.self.machine,
        user: control.user,
        platform: control.platform,
        elevated: control.elevated,
        startedAt: isoTime(startedAt),
        stateDirectory,
        capabilities,
        killDisabled,
        outdated: program.replaced(),
        warnings: [...control.warnings(), ...supervisor.warnings, ...tools.seat.warnings],
        ...(tools.seat.fleet && { fleet: tools.seat.fleet.host }),
        you: {
          user: caller.user,
          role: caller.role,
          refused: refusalsOf(caller.role, settings.values),
          ...(person !== null && { fleet: person }),
        },
      };
    },
    'host.retire': (_input, caller) => {
      if (!retire)
        throw new UnjamError(
          'not-possible',
          'The desktop application is the host; it does not retire on request.',
          'Exit it from its tray icon; scripts keep running.',
        );
      log(`I311 Retires, asked by ${caller.user} (${caller.via}). Scripts keep running.`);
      setImmediate(retire); // after the answer has gone out
      return { pid: control.self.pid };
    },
    'overview.get': () => withObserved(supervisor, observed).snapshot(),
    'scripts.list': ({ all }) => supervisor.list(all ?? false),
    'scripts.get': ({ ticket }, _actor, { role }) =>
      lockVerbs(settings.values, supervisor.get(ticket), supervisor.record(ticket), role),
    'scripts.follow': (input, _actor, { gone }) => followers.follow(input, gone),
    'scripts.why': async ({ ticket }) => observed.withForeignLocks(await why(ticket, whySources(supervisor, control))),
    'scripts.start': (input, actor, { pid }) => supervisor.start(input, actor, pid),
    'scripts.cancel': async (input, caller) => {
      const { signal } = supervisor.record(input.ticket).spec.cancel;
      const checked = checkCancel(settings.values, input, signal);
      if (forces({ ...checked, signal: checked.signal ?? signal }, caller))
        await evidence.beforeEnd('Cancel', input.ticket, caller);
      return supervisor.cancel(checked, caller);
    },
    'scripts.kill': async (input, caller) => {
      checkKill(settings.values, input);
      await evidence.beforeEnd('Force Kill', input.ticket, caller);
      return supervisor.kill(input, caller);
    },
    'scripts.endProcess': (input, caller) => {
      checkKill(settings.values, input);
      return supervisor.endProcess(input, caller);
    },
    'scripts.take': (input, caller) => supervisor.take(input, caller),
    'scripts.abandon': async (input, caller) => {
      checkAbandon(settings.values, input, supervisor.record(input.ticket));
      await evidence.beforeEnd('Abandon', input.ticket, caller);
      return supervisor.abandon(input, caller);
    },
    'scripts.complete': ({ ticket }) => supervisor.complete(ticket),
    'scripts.evidence': ({ ticket }, caller) => evidence.save(ticket, caller),
    'evidence.read': ({ ticket, file, from }) =>
      (isObservedId(ticket) ? tools.observedEvidence : evidence).read(ticket, file, from ?? 0),
    'observed.evidence': ({ id }, caller) => tools.observedEvidence.save(id, caller),
    'logs.read': (input) => logs.read(supervisor.record(input.ticket), input),
    'logs.lines': (input) => logs.lines(supervisor.record(input.ticket), input),
    'logs.search': (input) => logs.search(supervisor.record(input.ticket), input),
    'logs.line': (input) => logs.line(supervisor.record(input.ticket), input),
    'locks.list': () => supervisor.locks(),
    'locks.abandon': (input, caller) => {
      checkAbandonHold(settings.values, input, caller);
      return supervisor.abandonHold(input, caller);
    },
    'locks.resume': ({ name }, caller) => supervisor.resume(name, caller),
    'history.list': (input) =>
      journal.list(input).map(({ source: _source, ...e }) => ({ ...e, at: isoTime(e.at), data: e.data as never })),
    'metrics.get': () => ({
      text: metricsText({
        version,
        startedAt,
        now: Date.now(),
        scripts: supervisor.list(false),
        mutexes: supervisor.locks(),
        tally: supervisor.tally,
        alerts: { ...alerts.counts, pending: alerts.pending },
      }),
    }),
    'settings.get': () => settings.view(),
    'settings.set': async (input, caller) => {
      checkChange(input, caller);
      const nobody = await access.unknown(input.values?.access ?? []);
      if (nobody !== null) throw unknownAccount(nobody);
      const view = await settings.change(input, caller);
      supervisor.changed();
      return view;
    },
    'alerts.get': () => alerts.view(),
    'alerts.test': async ({ target }) => {
      const tested = await alerts.test(target);
      if (tested.outcomes.length > 0) return tested;
      throw new UnjamError(
        'not-possible',
        target === undefined ? 'No alerts are set up here.' : `No target is called "${target}".`,
        target === undefined
          ? 'Name a target with "unjam alerts set FILE"; docs/alerts.md shows how.'
          : 'See "unjam alerts list".',
      );
    },
    ...observedHandlers(observed, (reason) => checkReason(settings.values, reason)),
    'fleet.get': () => tools.seat.joined.view(),
    'fleet.scripts': (_input, _actor, caller) => tools.fleetLogin.scripts(caller),
    'console.open': (_input, _actor, caller) => tools.consoleDoor.open(caller),
    'drill.start': ({ minutes }, caller) =>
      startDrill(minutes, {
        start: (input) => supervisor.start(methods['scripts.start'].input.parse(input), caller),
        living: () => supervisor.list(false),
        node: runner.file,
        now: Date.now,
      }),
  };
}
