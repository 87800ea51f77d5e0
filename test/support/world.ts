/** A real host on a state directory of its own, with real scripts; everything it made is gone when it is disposed. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HttpClient } from '../../app/api/http-client.ts';
import { UnjamError } from '../../app/contract/errors.ts';
import type { Input, ScriptView, Snapshot } from '../../app/contract/methods.ts';
import type { HostFile } from '../../app/host/host-files.ts';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import { openProcessControl, type ProcessControl } from '../../app/processes/index.ts';
import { fileSize, RunDirectory } from '../../app/run-directory/run-directory.ts';

export const root = new URL('../..', import.meta.url).pathname;
const program = join(root, 'dist/cli.js');

/** How a host names who acts through `World.client`: the client says "kim", and the host sees who runs the tests. */
export const actingUser = `kim (as ${userInfo().username})`;

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class World implements AsyncDisposable {
  readonly home: string;
  readonly control: ProcessControl;
  #host: ChildProcess | null = null;
  #client: HttpClient | null = null;
  #hostLog = '';
  #hostOutput = '';

  private constructor(home: string, control: ProcessControl) {
    this.home = home;
    this.control = control;
  }

  /** A world without a host; commands of `cli` start one by themselves. */
  static async empty(under = tmpdir()): Promise<World> {
    return new World(mkdtempSync(join(under, 'unjam-test-')), await openProcessControl());
  }

  static async open(environment: NodeJS.ProcessEnv = {}): Promise<World> {
    const world = await World.empty();
    await world.startHost(environment);
    return world;
  }

  get client(): HttpClient {
    if (!this.#client) throw new Error('No host runs in this world.');
    return this.#client;
  }

  /** The path of the built command line. */
  readonly program = program;

  get hostPid(): number {
    return this.hostFile().host.pid;
  }

  /** What the host wrote on stderr. */
  get hostLog(): string {
    return this.#hostLog;
  }

  /** What the host printed. */
  get hostOutput(): string {
    return this.#hostOutput;
  }

  hostFile(): HostFile {
    return JSON.parse(readFileSync(join(this.home, 'host.json'), 'utf8')) as HostFile;
  }

  async startHost(environment: NodeJS.ProcessEnv = {}, ...options: string[]): Promise<void> {
    const host = spawn(process.execPath, [program, 'serve', ...options], {
      env: { ...process.env, UNJAM_HOME: this.home, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    host.stderr.setEncoding('utf8').on('data', (text: string) => (this.#hostLog += text));
    await new Promise<void>((resolve, reject) => {
      host.stdout.setEncoding('utf8').on('data', (text: string) => {
        this.#hostOutput += text;
        resolve();
      });
      host.once('exit', (code) => reject(new Error(`The host ended with ${code}: ${this.#hostLog}`)));
    });
    this.#host = host;
    this.connect();
  }

  connect(): void {
    const file = this.hostFile();
    this.#client?.close();
    this.#client = new HttpClient({
      address: file.address,
      token: file.token,
      actor: { user: 'kim', via: 'api' },
      timeoutMs: 20_000,
    });
  }

  /** SIGKILL; resolves when the host is gone. */
  async killHost(): Promise<void> {
    const host = this.#host;
    if (!host || host.exitCode !== null) return;
    const gone = new Promise((resolve) => host.once('exit', resolve));
    host.kill('SIGKILL');
    await gone;
    this.#host = null;
  }

  async restartHost(): Promise<void> {
    await this.killHost();
    await this.startHost();
  }

  start(script: string, options: Partial<Input<'scripts.start'>> = {}): Promise<ScriptView> {
    return this.client.call('scripts.start', { command: ['bash', '-c', script], cwd: this.home, ...options });
  }

  /** A script that ignores Cancel, with a child, holding `mutex`. */
  startHung(mutex = 'web', options: Partial<Input<'scripts.start'>> = {}): Promise<ScriptView> {
    return this.start('trap "" TERM INT; sleep 3600 & echo copying; wait; sleep 3600', {
      name: 'Deploy web / step 4',
      isolation: { level: 'full', mutex },
      ...options,
    });
  }

  get(ticket: string) {
    return this.client.call('scripts.get', { ticket });
  }

  /** Resolves with the first snapshot in which the script satisfies `condition`. */
  async until(ticket: string, condition: (script: ScriptView, snapshot: Snapshot) => boolean): Promise<ScriptView> {
    return new Promise((resolve, reject) => {
      const stop = this.client.on(
        'snapshot',
        (snapshot) => {
          const script = snapshot.scripts.find((s) => s.ticket === ticket);
          if (!script || !condition(script, snapshot)) return;
          stop();
          resolve(script);
        },
        () => reject(new Error('The host went away while a test waited.')),
      );
    });
  }

  untilFinal(ticket: string): Promise<ScriptView> {
    return this.until(ticket, (s) => s.state === 'final');
  }

  /** Resolves when the script's log holds `text`. */
  async untilLogged(ticket: string, text: string): Promise<void> {
    let seen = '';
    for (let from = 0; !seen.includes(text);) {
      const page = await this.client.call('logs.read', { ticket, from, waitMs: 5_000 });
      seen += page.entries.map((e) => `${e.code ?? ''} ${e.text}`).join('\n');
      from = page.next;
      if (page.complete && !seen.includes(text)) throw new Error(`The log ended without "${text}":\n${seen}`);
    }
  }

  /**
   * The log with all that its files hold at this moment: the runner indexes them a little later. A script's last line
   * comes after its verdict, and is waited for.
   */
  async log(ticket: string): Promise<string> {
    const directory = new RunDirectory(join(this.home, 'runs', ticket));
    const { stdoutPath, stderrPath, eventsPath, indexPath } = directory;
    const { state, orphan } = await this.get(ticket);
    while (state === 'final' && !orphan && directory.readTree() === null) await delay(10);
    const wanted = [stdoutPath, stderrPath, eventsPath].map((file) => fileSize(file).bytes);
    const isIndexed = (): boolean => {
      const rows = existsSync(indexPath) ? readFileSync(indexPath, 'utf8').trimEnd().split('\n') : [];
      const sizes = rows.at(-1)?.split(' ').slice(1).map(Number) ?? [];
      return wanted.every((size, k) => size <= (sizes[k] ?? 0));
    };
    const read = () => this.client.call('logs.read', { ticket, maxBytes: 4_000_000 });
    while (!isIndexed() && !(await read()).complete) await delay(10);
    const page = await read();
    return page.entries.map((e) => (e.stream === 'unjam' ? `${e.code} ${e.text}\n` : e.text)).join('');
  }

  cli(...args: string[]): Promise<CliResult> {
    return this.cliWith({}, ...args);
  }

  cliWith(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<CliResult> {
    return this.cliAt(this.home, environment, ...args);
  }

  cliAt(cwd: string, environment: NodeJS.ProcessEnv, ...args: string[]): Promise<CliResult> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [program, ...args],
        { env: { ...process.env, UNJAM_HOME: this.home, ...environment }, cwd, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          resolve({ status: error ? (typeof error.code === 'number' ? error.code : null) : 0, stdout, stderr }),
      );
    });
  }

  /** The error that a call is refused with. */
  async refusal(call: Promise<unknown>): Promise<UnjamError> {
    const result = await call.catch((error: unknown) => error);
    if (result instanceof UnjamError) return result;
    throw new Error(`The call was not refused: ${JSON.stringify(result)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    await this.killHost();
    await this.#endBackgroundHost();
    await this.#endCommands();
    await this.#endScripts();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  async #endBackgroundHost(): Promise<void> {
    if (!existsSync(join(this.home, 'host.json'))) return;
    const { host } = this.hostFile();
    if (this.control.liveness(host) !== 'alive') return;
    process.kill(host.pid, 'SIGKILL');
    while (this.control.liveness(host) === 'alive') await new Promise((r) => setTimeout(r, 5));
  }

  /** A command that still runs when its test ends would start the next background host by itself. */
  async #endCommands(): Promise<void> {
    const own = (pid: number): boolean => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`UNJAM_HOME=${this.home}\0`) &&
          readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`${program}\0`)
        );
      } catch {
        return false; // it has ended, or this is not Linux
      }
    };
    const left = (): ProcessIdentity[] =>
      this.control
        .snapshot()
        .filter((p) => p.state !== 'zombie' && own(p.identity.pid))
        .map((p) => p.identity);
    for (let all = left(); all.length > 0; all = left()) {
      for (const identity of all) this.control.end(identity);
      await delay(5);
    }
  }

  async #endScripts(): Promise<void> {
    const runs = join(this.home, 'runs');
    if (!existsSync(runs)) return;
    const ended: ProcessIdentity[] = [];
    for (const folder of readdirSync(runs)) {
      const directory = new RunDirectory(join(runs, folder));
      const runner = directory.readRunner()?.runner;
      if (runner) ended.push(runner);
      const scope = directory.readStarted()?.scope;
      if (scope) ended.push(...this.control.tree(scope).map((member) => member.identity));
    }
    for (const identity of ended) this.control.end(identity);
    while (ended.some((identity) => this.control.liveness(identity) === 'alive')) await delay(2);
    this.control.sweep?.(new Set());
  }
}
