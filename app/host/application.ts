/**
 * The composition root that the Electron main process and `unjam serve` share: opens the state directory,
 * becomes its host or, when another host lives, a client of that one.
 */
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Access } from '../access/access.ts';
import { auditor } from '../access/audit.ts';
import { openDoors } from '../access/doors.ts';
import { clientOf } from '../access/client.ts';
import { MetricsServer } from '../api/metrics-server.ts';
import { Alerts } from '../alerts/alerts.ts';
import { deliver } from '../alerts/deliver.ts';
import { isOthers } from '../access/state-directory.ts';
import { createTentacle } from '../api/tentacle.ts';
import { TentacleWorkspaces } from '../api/tentacle-workspaces.ts';
import type { ConsoleServer } from '../api/console-server.ts';
import type { ApiOptions } from '../api/http-server.ts';
import { createDispatcher, type Dispatch } from '../contract/dispatcher.ts';
import { UnjamError } from '../contract/errors.ts';
import type { Output, Snapshot } from '../contract/methods.ts';
import { refusalOf } from '../contract/roles.ts';
import type { HostLog } from '../domain/host-log.ts';
import { redact } from '../domain/redact.ts';
import { unjam } from '../domain/script.ts';
import { visibleLine } from '../domain/visible.ts';
import { Journal } from '../journal/journal.ts';
import { Election, Mutexes } from '../locks/index.ts';
import { openObserved, withObserved } from '../observed/open.ts';
import {
  accountId,
  currentUser,
  openProcessControl,
  openSystemLog,
  ownerIds,
  ProgramFiles,
  SystemLog,
} from '../processes/index.ts';
import { witnessOf } from '../ladder/witness.ts';
import { lastOutput } from '../scripts/last-output.ts';
import { LogReaders } from '../scripts/log-readers.ts';
import type { RunnerCommand } from '../scripts/runner-pool.ts';
import { Supervisor } from '../scripts/supervisor.ts';
import { withoutCommands } from '../scripts/without-commands.ts';
import { autoAbandonMsOf, observedSettingsOf, retentionOf, thresholdsOf } from '../settings/known.ts';
import { type PolicySource, policySource } from '../settings/policy-source.ts';
import { SettingsStore } from '../settings/store.ts';
import { version } from '../version.ts';
import { ConsoleDoor } from './console-door.ts';
import { openEvidence } from './evidence.ts';
import { openObservedEvidence, sweepObserved } from './observed-evidence.ts';
import { FleetLogin } from './fleet-login.ts';
import { FleetSeat } from './fleet-seat.ts';
import { createHandlers } from './handlers.ts';
import { hostFileProblem, openStateDirectory, writeHostFile } from './host-files.ts';
import { Post } from './post.ts';
import { retireOlder } from './take-over.ts';
import { SnapshotFeed } from './snapshot-feed.ts';

export interface ApplicationOptions {
  readonly stateDirectory: string;
  /** Runs the runner program; its own runtime beside the app in a packaged Electron, this process's Node elsewhere. */
  readonly runner?: RunnerCommand;
  /** Where an administrator's settings are found; this machine's places when absent. */
  readonly policies?: PolicySource;
  /** Space that finished scripts may take together, bytes; `limits.keepBytes` when absent. */
  readonly keepBytes?: number;
  /** Ends this process soon; without it the host refuses to retire, as the desktop application does. */
  readonly retire?: () => void;
  /** The console's server of this process, for who asks for an address of it; without it nobody gets one. */
  readonly console?: (api: Pick<ApiOptions, 'dispatch' | 'subscribe'>) => Promise<ConsoleServer>;
  /** Gets every warning line and every problem of the host itself; one line each. */
  readonly log: HostLog;
}

export interface Application {
  /** `client` when another host owns the state directory; everything below then goes through that one. */
  readonly role: 'host' | 'client';
  readonly dispatch: Dispatch;
  /**
   * Resolves with the reason when this process is the host no more, because its directory was removed or exchanged; or,
   * for a client, when no more snapshots come.
   */
  readonly lost: Promise<string>;
  /** Calls `listener` now and with every later snapshot, at most 4 a second. Returns what ends it. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void;
  /** Notes in the log that the machine goes to sleep or woke up. */
  power(what: 'suspend' | 'resume'): void;
  /** Closes the API and the journal. Scripts keep running. */
  close(): Promise<void>;
}

/**
 * Whatever was opened before something fails is closed again, in reverse order: a host that tries again begins anew.
 * @throws UnjamError `state-directory`, `host-unreachable`
 */
export async function openApplication(options: ApplicationOptions): Promise<Application> {
  await using opening = new AsyncDisposableStack();
  const { stateDirectory, runner } = options;
  if (await isOthers(stateDirectory)) return openAsClient(stateDirectory, await currentUser());
  await openStateDirectory(stateDirectory, options.log);
  const control = opening.adopt(await openProcessControl(helperOf(runner)), (c) => c.close());
  control.attend?.(stateDirectory);
  const election = new Election(stateDirectory, control.self, (identity) => control.liveness(identity));
  if (!(await election.stand())) {
    const isRoom = await retireOlder(stateDirectory, { user: control.user, via: 'unjam' }, control, version);
    if (!isRoom || !(await election.stand())) return openAsClient(stateDirectory, control.user);
  }
  opening.defer(() => election.resign());

  let wantsSystemLog = (): boolean => true; // until the settings are read
  const systemLog = await hostSystemLog(options.log, () => wantsSystemLog());
  opening.defer(() => systemLog?.close());
  const log: HostLog = (line, facts) => {
    const safe = visibleLine(redact(line));
    options.log(safe, facts);
    systemLog?.write(safe);
  };
  const killDisabled = process.env['UNJAM_DEBUG_DISABLE_KILL'] === '1';
  if (killDisabled) log('W217 UNJAM_DEBUG_DISABLE_KILL is set: no kill will be sent by this host. For tests only.');
  const journal = opening.adopt(
    new Journal(join(stateDirectory, 'journal.sqlite'), (sentence) => log(`W390 ${sentence}`)),
    (j) => j.close(),
  );
  const seat = opening.use(await FleetSeat.open(stateDirectory, control, log));
  const owners = await ownerIds();
  const [account] = owners;
  const fleetLogin = opening.use(new FleetLogin({ stateDirectory, account, joined: () => seat.fleet, log }));
  const mutexes = new Mutexes(
    join(stateDirectory, 'mutexes'),
    control,
    witnessOf(stateDirectory, control),
    () => seat.fleet,
  );
  const settings = opening.adopt(
    await SettingsStore.open(stateDirectory, options.policies ?? policySource(control.platform, stateDirectory), log),
    (s) => s.close(),
  );
  wantsSystemLog = () => settings.values['notifications.eventLog'];
  const runnerCommand = runner ?? defaultRunner();
  const program = new ProgramFiles([runnerCommand.file, ...runnerCommand.args.filter((path) => isAbsolute(path))]);
  const supervisor = opening.adopt(
    new Supervisor({
      stateDirectory,
      outdated: () => program.replaced(),
      control,
      mutexes,
      journal,
      runner: runnerCommand,
      killDisabled,
      thresholds: (script) => thresholdsOf(settings.values, script),
      autoAbandonMs: () => autoAbandonMsOf(settings.values),
      beforeAutoAbandon: (ticket) => evidence.beforeEnd('Abandon', ticket, unjam),
      beforeTimeLimit: (ticket) => void evidence.beforeEnd('its time limit', ticket, unjam),
      retention: () => retentionOf(settings.values, options.keepBytes),
      log,
    }),
    (s) => s.close(),
  );
  const logs = opening.adopt(new LogReaders((bytes) => control.decodeOutput(bytes)), (l) => l.close());
  const evidence = openEvidence(supervisor, {
    control,
    journal,
    logs,
    isWanted: () => settings.values.evidenceBeforeEnd,
  });
  await supervisor.open();
  const keep = () => retentionOf(settings.values, options.keepBytes);
  opening.adopt(startForgetting(journal, settings, { stateDirectory, keep, log }), clearInterval);
  const observed = opening.adopt(
    await openObserved({
      control,
      helper: helperOf(runner),
      settings: () => observedSettingsOf(settings.values),
      askers: () => supervisor.askers,
      journal,
      killDisabled,
      beforeKill: (id, actor) => observedEvidence.beforeEnd('Force Kill', id, actor),
      log,
    }),
    (o) => o.close(),
  );
  const observedEvidence = openObservedEvidence(observed, {
    control,
    journal,
    stateDirectory,
    isWanted: () => settings.values.evidenceBeforeEnd,
    keep,
    log,
  });
  const all = withObserved(supervisor, observed);
  const feed = opening.adopt(new SnapshotFeed(all, log), (f) => f.close());
  const subscribe = (listener: (snapshot: Snapshot) => void): (() => void) => feed.subscribe(listener);
  const access = new Access({ owners, idOf: accountId, log });
  await access.use(settings.values.access);
  const alerts = opening.adopt(
    new Alerts({
      stateDirectory,
      settings: () => settings.values,
      look: () => supervisor.snapshot(),
      lastOutput: (ticket) => lastOutput(supervisor.record(ticket).directory, (bytes) => control.decodeOutput(bytes)),
      deliver,
      now: Date.now,
      log,
    }),
    (a) => a.close(),
  );
  alerts.start();
  const openConsole = options.console;
  const consoleDoor = opening.adopt(
    new ConsoleDoor({
      server: openConsole && (() => openConsole({ dispatch, subscribe })),
      roleOf: (peer) => access.roleOf(peer),
      now: Date.now,
    }),
    (d) => d.close(),
  );
  const dispatch: Dispatch = createDispatcher(
    createHandlers({
      stateDirectory,
      control,
      supervisor,
      observed,
      journal,
      settings,
      access,
      alerts,
      consoleDoor,
      logs,
      evidence,
      observedEvidence,
      subscribe,
      seat,
      fleetLogin,
      runner: runnerCommand,
      program,
      killDisabled,
      ...(options.retire ? { retire: options.retire } : {}),
      log,
    }),
    (method, error) =>
      log(`W399 "${method}" failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    {
      refusal: (method, { role }) => refusalOf(method, role, settings.values),
      audit: auditor({ journal, log, now: Date.now }),
    },
  );
  seat.serve(dispatch, () => {
    const { scripts, ...snapshot } = all.snapshot();
    return { ...snapshot, scripts: withoutCommands(scripts, (ticket) => supervisor.record(ticket).spec.command) };
  });
  const metrics = opening.adopt(new MetricsServer({ text: () => metricsFor(dispatch), log }), (m) => m.close());
  await metrics.use(settings.values.metricsPort);
  settings.onChange(({ metricsPort }) => void metrics.use(metricsPort));
  const file = await writeHostFile(stateDirectory, version, control.self);
  const { address, token } = file;
  const doors = opening.adopt(
    await openDoors({
      stateDirectory,
      access,
      log,
      address,
      token,
      dispatch,
      subscribe,
      version,
      tentacle: createTentacle(dispatch, new TentacleWorkspaces(stateDirectory)),
    }),
    (d) => d.close(),
  );
  settings.onChange(({ access: grants }) => {
    doors
      .use(grants)
      .then(() => consoleDoor.recheck())
      .catch((error: Error) => log(`W391 The host's doors could not be set to the new roles: ${error.message}.`));
  });
  const lost = Promise.withResolvers<string>();
  opening.use(
    new Post({
      directory: stateDirectory,
      file,
      election,
      doors,
      isNeeded: () => supervisor.isWatching,
      lost: lost.resolve,
      log,
    }),
  );

  for (const { text, next } of control.warnings()) log(`W394 ${text} ${next}`);

  const opened = opening.move();
  return {
    role: 'host',
    lost: lost.promise,
    // The window belongs to this process, whatever it is the host of.
    dispatch: (method, input, caller) =>
      dispatch(
        method,
        input,
        caller.via === 'window' && account !== undefined ? { ...caller, ids: [account] } : caller,
      ),
    subscribe,
    power: (what) => log(`I310 The machine ${what === 'suspend' ? 'goes to sleep' : 'woke up'}.`),
    close: () => opened.disposeAsync(),
  };
}

async function metricsFor(dispatch: Dispatch): Promise<string> {
  const answer = await dispatch('metrics.get', {}, { user: 'unjam', via: 'unjam', role: 'viewer' });
  if (!answer.ok) throw UnjamError.from(answer.error);
  return (answer.value as Output<'metrics.get'>).text;
}

/** What is still there as a run directory keeps its history: a start would write it anew. */
function startForgetting(
  journal: Journal,
  settings: SettingsStore,
  bundles: Parameters<typeof sweepObserved>[0],
): NodeJS.Timeout {
  const forget = (): void => {
    try {
      const { keepHistoryDays, keepFinishedDays } = settings.values;
      journal.prune(Date.now() - Math.max(keepHistoryDays, keepFinishedDays) * 86_400_000);
    } catch (error) {
      bundles.log(
        `W396 Old entries of the journal could not be removed: ${(error as Error).message}. It will be tried again.`,
      );
    }
    sweepObserved(bundles);
  };
  forget();
  return setInterval(forget, 3_600_000).unref();
}

/** Null where the system's log hears stderr by itself. What it cannot do is said once, and not into itself. */
async function hostSystemLog(log: (line: string) => void, wanted: () => boolean): Promise<SystemLog | null> {
  const write = await openSystemLog();
  return write && new SystemLog({ write, wanted, problem: (sentence) => log(`W392 ${sentence}`) });
}

async function openAsClient(stateDirectory: string, user: string): Promise<Application> {
  const reached = await clientOf(stateDirectory, { user, via: 'window' }, 15_000);
  if (!reached)
    throw (
      hostFileProblem(stateDirectory) ??
      new UnjamError(
        'host-unreachable',
        `Another host owns "${stateDirectory}" but has not opened its door.`,
        'Wait a moment and try again.',
      )
    );
  const { client } = reached;
  const lost = Promise.withResolvers<string>();
  return {
    role: 'client',
    lost: lost.promise,
    dispatch: (method, input, caller) =>
      client.send(method, input, caller).catch((error: UnjamError) => ({ ok: false, error: error.toBody() })),
    subscribe: (listener) => client.on('snapshot', listener, lost.resolve),
    power: () => undefined,
    async close() {
      client.close();
    },
  };
}

/** The Node of the runner reaches consoles and native code where Electron cannot. */
const helperOf = (runner: RunnerCommand | undefined) =>
  runner?.args[0] === undefined ? undefined : { node: runner.file, koffiBeside: runner.args[0] };

/** The runner program beside this file: built, or as TypeScript in a checkout. */
function defaultRunner(): RunnerCommand {
  const built = !import.meta.url.endsWith('.ts');
  const program = new URL(built ? runnerBeside(import.meta.url) : '../runner/main.ts', import.meta.url);
  return { file: process.execPath, args: [fileURLToPath(program)] };
}

/** Chunks lie one folder below the entries. */
function runnerBeside(url: string): string {
  return url.includes('/chunks/') || url.includes('/main/') ? '../runner.cjs' : './runner.cjs';
}
