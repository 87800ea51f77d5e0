/**
 * The composition root that the Electron main process and `unjam serve` share: opens the state directory,
 * becomes its host or, when another host lives, a client of that one.
 */
import { isAbsolute, join } from 'node:path';
import { Access } from './access/access.ts';
import { auditor } from './access/audit.ts';
import { openHostSocket } from './api/host-socket.ts';
import { clientOf } from './access/client.ts';
import { isOthers } from './access/state-directory.ts';
import { type Caller, createDispatcher, type Dispatch, type Handlers } from './contract/dispatcher.ts';
import { UnjamError } from './contract/errors.ts';
import { type HostInfo, methods, type Snapshot } from './contract/methods.ts';
import { contractProtocol } from './contract/protocol.ts';
import { refusalOf, refusalsOf } from './contract/roles.ts';
import { openStateDirectory, writeHostFile } from './host-files.ts';
import { Journal } from './journal/journal.ts';
import { Election, Mutexes } from './locks/index.ts';
import {
  accountId,
  closeAddressToOthers,
  currentUser,
  openConnectionOwner,
  openProcessControl,
  openSystemLog,
  ownerIds,
  type Peer,
  ProgramFiles,
  SystemLog,
} from './processes/index.ts';
import { LogReaders } from './scripts/log-readers.ts';
import type { RunnerCommand } from './scripts/runner-pool.ts';
import { SnapshotFeed } from './scripts/snapshot-feed.ts';
import { Supervisor } from './scripts/supervisor.ts';
import { isoTime } from './scripts/views.ts';
import { why } from './scripts/why.ts';
import { redact } from './domain/redact.ts';
import { startDrill } from './drill/drill.ts';
import { checkAbandon, checkAbandonHold, checkCancel, checkKill, lockVerbs } from './settings/enforce.ts';
import { autoAbandonMsOf, retentionOf, thresholdsOf } from './settings/known.ts';
import { type PolicySource, policySource } from './settings/policy-source.ts';
import { SettingsStore } from './settings/store.ts';
import { version } from './version.ts';

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
  /** Gets every warning line and every problem of the host itself; one line each. */
  readonly log: (line: string) => void;
}

export interface Application {
  /** `client` when another host owns the state directory; everything below then goes through that one. */
  readonly role: 'host' | 'client';
  readonly dispatch: Dispatch;
  /** Calls `listener` now and with every later snapshot, at most 4 a second. Returns what ends it. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void;
  /** The machine woke up or went to sleep: clocks must not count that as silence. */
  power(what: 'suspend' | 'resume'): void;
  /** Closes the API and the journal. Scripts go on. */
  close(): Promise<void>;
}

const capabilities = [
  'start',
  'status',
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
  'drill',
];

/** @throws UnjamError `state-directory`, `host-unreachable` */
export async function openApplication(options: ApplicationOptions): Promise<Application> {
  const { stateDirectory } = options;
  if (await isOthers(stateDirectory)) return openAsClient(stateDirectory, await currentUser());
  await openStateDirectory(stateDirectory, options.log);
  const { runner } = options;
  const control = await openProcessControl(
    runner?.args[0] === undefined ? undefined : { node: runner.file, koffiBeside: runner.args[0] },
  );
  const election = new Election(stateDirectory, control.self, (identity) => control.liveness(identity));
  if (!(await election.stand())) return openAsClient(stateDirectory, control.user);

  const startedAt = Date.now();
  let wantsSystemLog = (): boolean => true; // until the settings are read
  const systemLog = await hostSystemLog(options.log, () => wantsSystemLog());
  const log = (line: string): void => {
    const safe = redact(line);
    options.log(safe);
    systemLog?.write(safe);
  };
  const killDisabled = process.env['UNJAM_DEBUG_DISABLE_KILL'] === '1';
  if (killDisabled) log('W217 UNJAM_DEBUG_DISABLE_KILL is set: no kill will be sent by this host. For tests only.');
  const journal = new Journal(join(stateDirectory, 'journal.sqlite'), (sentence) => log(`W390 ${sentence}`));
  const mutexes = new Mutexes(join(stateDirectory, 'mutexes'), control);
  const settings = await SettingsStore.open(
    stateDirectory,
    options.policies ?? policySource(control.platform, stateDirectory),
    log,
  );
  wantsSystemLog = () => settings.values['notifications.eventLog'];
  const runnerCommand = runner ?? defaultRunner();
  const program = new ProgramFiles([runnerCommand.file, ...runnerCommand.args.filter((path) => isAbsolute(path))]);
  const supervisor = new Supervisor({
    stateDirectory,
    outdated: () => program.replaced(),
    control,
    mutexes,
    journal,
    runner: runnerCommand,
    killDisabled,
    thresholds: (script) => thresholdsOf(settings.values, script),
    autoAbandonMs: () => autoAbandonMsOf(settings.values),
    retention: () => retentionOf(settings.values, options.keepBytes),
    log,
  });
  await supervisor.open();
  // What is still there as a run directory keeps its history: a start would write it anew.
  const forgetOld = (): void => {
    const { keepHistoryDays, keepFinishedDays } = settings.values;
    journal.prune(Date.now() - Math.max(keepHistoryDays, keepFinishedDays) * 86_400_000);
  };
  forgetOld();
  const forgetting = setInterval(forgetOld, 3_600_000).unref();
  const logs = new LogReaders();
  const feed = new SnapshotFeed(supervisor);

  const info = (caller: Caller): HostInfo => ({
    name: 'unjam',
    version,
    protocol: contractProtocol,
    pid: control.self.pid,
    machine: control.self.machine,
    user: control.user,
    platform: control.platform,
    elevated: control.elevated,
    you: { user: caller.user, role: caller.role, refused: refusalsOf(caller.role, settings.values) },
    startedAt: isoTime(startedAt),
    stateDirectory,
    capabilities,
    killDisabled,
    outdated: program.replaced(),
    warnings: [...control.warnings()],
  });
  const handlers: Handlers = {
    'host.info': (_input, _actor, caller) => info(caller),
    'host.retire': (_input, caller) => {
      if (!options.retire)
        throw new UnjamError(
          'not-possible',
          'The desktop application is the host; it does not retire on request.',
          'Exit it from its tray icon; scripts go on.',
        );
      log(`I311 Retires, asked by ${caller.user} (${caller.via}). Scripts go on.`);
      setImmediate(options.retire); // after the answer has gone out
      return { pid: control.self.pid };
    },
    'overview.get': () => supervisor.snapshot(),
    'scripts.list': ({ all }) => supervisor.list(all ?? false),
    'scripts.get': ({ ticket }, _actor, { role }) =>
      lockVerbs(settings.values, supervisor.get(ticket), supervisor.record(ticket), role),
    'scripts.why': ({ ticket }) =>
      why(ticket, {
        control,
        record: (t) => supervisor.record(t),
        detail: (t) => supervisor.get(t),
        locks: () => supervisor.locks(),
      }),
    'scripts.start': (input, caller) => supervisor.start(input, caller),
    'scripts.cancel': (input, caller) => {
      const { signal } = supervisor.record(input.ticket).spec.cancel;
      return supervisor.cancel(checkCancel(settings.values, input, signal), caller);
    },
    'scripts.kill': (input, caller) => {
      checkKill(settings.values, input);
      return supervisor.kill(input, caller);
    },
    'scripts.abandon': (input, caller) => {
      checkAbandon(settings.values, input, supervisor.record(input.ticket));
      return supervisor.abandon(input, caller);
    },
    'scripts.complete': ({ ticket }) => supervisor.complete(ticket),
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
    'settings.get': () => settings.view(),
    'settings.set': (input, caller) => {
      const view = settings.change(input, caller);
      supervisor.changed();
      return view;
    },
    'drill.start': ({ minutes }, caller) =>
      startDrill(minutes, {
        start: (input) => supervisor.start(methods['scripts.start'].input.parse(input), caller),
        living: () => supervisor.list(false),
        node: runnerCommand.file,
        now: Date.now,
      }),
  };
  const access = new Access({ owners: await ownerIds(), idOf: accountId, log });
  await access.use(settings.values.access);
  settings.onChange((values) => void access.use(values.access));
  const dispatch = createDispatcher(
    handlers,
    (method, error) =>
      log(`W399 "${method}" failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    {
      refusal: (method, { role }) => refusalOf(method, role, settings.values),
      audit: auditor({ journal, log, now: Date.now }),
    },
  );
  const subscribe = (listener: (snapshot: Snapshot) => void): (() => void) => feed.subscribe(listener);
  const file = await writeHostFile(stateDirectory, version, control.self);
  const ownerOf = await openConnectionOwner(file.address);
  const socket = await openHostSocket({
    ...{ address: file.address, token: file.token, ownerOf, roleOf: (peer: Peer) => access.roleOf(peer) },
    ...{ dispatch, subscribe, version },
  });
  const open = await closeAddressToOthers(file.address);
  if (open !== null) log(`W391 The host's door could not be closed to other users: ${open}.`);

  for (const { text, next } of control.warnings()) log(`W394 ${text} ${next}`);

  return {
    role: 'host',
    dispatch,
    subscribe,
    power: (what) => log(`I310 The machine ${what === 'suspend' ? 'goes to sleep' : 'woke up'}.`),
    async close() {
      await socket.close();
      feed.close();
      logs.close();
      supervisor.close();
      clearInterval(forgetting);
      settings.close();
      journal.close();
      await election.resign();
      control.close();
      await systemLog?.close();
    },
  };
}

/** Null where the system's log hears stderr by itself. What it cannot do is said once, and not into itself. */
async function hostSystemLog(log: (line: string) => void, wanted: () => boolean): Promise<SystemLog | null> {
  const write = await openSystemLog();
  return write && new SystemLog({ write, wanted, problem: (sentence) => log(`W392 ${sentence}`) });
}

async function openAsClient(stateDirectory: string, user: string): Promise<Application> {
  const reached = await clientOf(stateDirectory, { user, via: 'window' }, 15_000);
  if (!reached)
    throw new UnjamError(
      'host-unreachable',
      `Another host owns "${stateDirectory}" but has not opened its door.`,
      'Wait a moment and try again.',
    );
  const { client } = reached;
  return {
    role: 'client',
    dispatch: (method, input, caller) =>
      client.send(method, input, caller).catch((error: UnjamError) => ({ ok: false, error: error.toBody() })),
    subscribe: (listener) => client.on('snapshot', listener),
    power: () => undefined,
    async close() {
      client.close();
    },
  };
}

/** The runner program beside this file: built, or as TypeScript in a checkout. */
function defaultRunner(): RunnerCommand {
  const built = !import.meta.url.endsWith('.ts');
  const program = new URL(built ? runnerBeside(import.meta.url) : './runner/main.ts', import.meta.url);
  return { file: process.execPath, args: [program.pathname.replace(/^\/([A-Za-z]:)/, '$1')] };
}

/** Chunks lie one folder below the entries. */
function runnerBeside(url: string): string {
  return url.includes('/chunks/') || url.includes('/main/') ? '../runner.cjs' : './runner.cjs';
}
