/** `unjam serve`: the headless host; with --console also the page in a browser. */
import { hostname } from 'node:os';
import type { ConsoleServer } from '../api/console-server.ts';
import type { ApiOptions } from '../api/http-server.ts';
import type { Application } from '../host/application.ts';
import type { Engine } from '../host/engine.ts';
import { UnjamError } from '../contract/errors.ts';
import { hostFileProblem, readHostFile } from '../host/host-files.ts';
import { isOthers, whichStateDirectory } from '../access/state-directory.ts';
import { forgetStarter } from '../processes/background.ts';
import { isWindows } from '../processes/places.ts';
import { userName } from '../processes/user-name.ts';
import type { HostLog } from '../domain/host-log.ts';
import { visibleLine } from '../domain/visible.ts';
import { openConsoleHere } from './console-here.ts';
import { openInBrowser } from './open-browser.ts';
import { print } from './output.ts';
import { person } from './person.ts';
import { takeOver } from '../host/take-over.ts';

export interface ServeOptions {
  console?: boolean;
  port?: string;
  open?: boolean;
  background?: boolean;
  takeOver?: boolean;
  stop?: boolean;
}

export async function serve(options: ServeOptions): Promise<void> {
  const port = options.port === undefined ? 0 : Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UnjamError(
      'bad-input',
      `--port: "${options.port}" is not a port.`,
      'Give a number from 1 to 65535, or none.',
      '--port',
    );
  const directory = await whichStateDirectory();
  if (options.stop) {
    const problem = hostFileProblem(directory);
    if (problem) throw problem; // it may live, and cannot be asked
    await takeOver(directory, { user: person(), via: 'cli' });
    return;
  }
  const others = await isOthers(directory);
  if (!options.console && others)
    throw new UnjamError(
      'state-directory',
      `The state directory "${directory}" belongs to another user: only a process of that user can be its host.`,
      'Start the host as that user, or name another state directory with UNJAM_HOME.',
    );
  // Its own folder may be removed, and must not keep a disk from being unmounted.
  if (!isWindows) process.chdir('/');
  const kept = options.background ? forgetStarter() : [];
  const { openApplication } = await import('../host/application.ts');
  const log = await logOf(directory, { background: options.background === true, others });
  for (const sentence of kept) log(`W394 ${sentence}`);
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  // Scripts do not need this process: it says what happened, closes what it has open, and a new one takes over.
  process.once('uncaughtException', (error) => {
    log(`W399 The host failed and ends: ${error.stack ?? error.message}`);
    process.exitCode = 1;
    stop();
  });
  if (options.takeOver) await takeOver(directory, { user: person(), via: 'cli' });
  const following = Promise.withResolvers<ConsoleServer>();
  const consoles: ConsoleServer[] = [];
  let onDemand: Promise<ConsoleServer> | null = null;
  const openOnDemand = (api: Omit<ApiOptions, 'version'>): Promise<ConsoleServer> =>
    (onDemand ??= openConsoleHere(directory, undefined, api).then(
      (server) => {
        consoles.push(server);
        return server;
      },
      (error: Error) => {
        onDemand = null; // the next call tries again
        throw error;
      },
    ));
  const open = (): Promise<Application> =>
    openApplication({
      stateDirectory: directory,
      log,
      retire: () => stop(),
      console: (api) => (options.console ? following.promise : openOnDemand(api)),
    });
  const application = await open();
  if (application.role === 'client' && !options.console) {
    await application.close();
    if (options.background) return;
    const host = readHostFile(directory);
    throw new UnjamError(
      'not-possible',
      `Another host (PID ${host?.host.pid ?? 'unknown'}) serves "${directory}" already.`,
      'Use that one, or stop it first. "unjam open" opens its console.',
    );
  }

  if (!options.console)
    void application.lost.then((why) => {
      log(`W395 ${why} This host ends.`);
      stop();
    });

  let close = (): Promise<void> => application.close();
  if (options.console) {
    const engine = await followed(application, open, log);
    const server = await openConsoleHere(directory, options.port === undefined ? undefined : port, {
      dispatch: engine.dispatch,
      subscribe: (listener) => engine.subscribe((state) => state.kind === 'online' && listener(state.snapshot)),
    });
    following.resolve(server);
    consoles.push(server);
    close = () => engine.close();
    const url = server.oneTimeUrl();
    const opened = options.open !== false && (await openInBrowser(url));
    print(
      [
        opened ? `The console is open in your browser.` : `Open this address in your browser: ${url}`,
        ...(opened ? [] : ['It works once, within ten minutes.']),
        `Ctrl-C stops this host; scripts keep running. Another address: npx unjam open`,
        `From another machine: ssh -L ${server.port}:127.0.0.1:${server.port} ${userName()}@${hostname()}, then open the address there.`,
      ].join('\n'),
    );
  } else if (!options.background)
    print(visibleLine(`Unjam host of ${directory} is up (PID ${process.pid}). Ctrl-C stops it; scripts keep running.`));

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  await stopped;
  await Promise.all(consoles.map((server) => server.close()));
  await close();
  process.exit();
}

/** A host with a terminal or a service manager tells people there; another user's directory is not written to. */
async function logOf(directory: string, how: { background: boolean; others: boolean }): Promise<HostLog> {
  const { openHostLog, humanLine, jsonLog } = await import('../host/host-log.ts');
  const toStderr = (text: string): void => void process.stderr.write(text);
  // By its name: what stderr has open may have been removed.
  if (how.background) return openHostLog(directory, toStderr);
  const asJson = how.others ? null : jsonLog(directory);
  return (line, facts) => {
    toStderr(humanLine(line, Date.now()));
    asJson?.(line, facts);
  };
}

/** A console outlives the host that it follows: when that one goes, this process becomes the host. */
async function followed(
  first: Application,
  open: () => Promise<Application>,
  log: (line: string) => void,
): Promise<Engine> {
  const { Engine } = await import('../host/engine.ts');
  let next: Application | null = first;
  const engine = new Engine(async () => {
    const application = next ?? (await open());
    next = null;
    return application;
  }, log);
  await engine.start();
  return engine;
}
