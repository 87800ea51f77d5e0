/** A host with the real runner: starts scripts, asks for their end, dies, and looks at what a host finds afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Mutexes } from '../../../app/locks/index.ts';
import type { RunnerOrder } from '../../../app/runner/order.ts';
import { RunDirectory } from '../../../app/run-directory/run-directory.ts';
import type { Actor, ScriptSpec } from '../../../app/domain/script.ts';
import { say, scenarios, simulantPath, type Stage, until } from '../support/scenarios.ts';

const actor: Actor = { user: 'tester', via: 'api' };
const runnerPath = join(dirname(process.argv[1]!), 'runner.cjs');

class Host {
  readonly stage: Stage;
  readonly mutexRoot: string;
  count = 0;

  constructor(stage: Stage, root = stage.folder) {
    this.stage = stage;
    this.mutexRoot = join(root, 'mutexes');
  }

  async start(kind: string, args: readonly string[] = [], over: Partial<ScriptSpec> = {}): Promise<RunDirectory> {
    const ticket = `t${++this.count}`;
    const directory = new RunDirectory(join(this.stage.folder, ticket));
    directory.create();
    const spec: ScriptSpec = {
      schema: 1,
      ticket,
      runId: `run-${process.pid}-${this.count}`,
      name: kind,
      command: [process.execPath, simulantPath, kind, ...args],
      file: process.execPath,
      cwd: this.stage.folder,
      isolation: null,
      timeouts: { overallMs: null, noOutputMs: null },
      cancel: { signal: 'ctrl-c', graceMs: 5_000 },
      environmentNames: [],
      notify: null,
      cleanup: null,
      ancestors: [],
      actor,
      createdAt: Date.now(),
      ...over,
    };
    await directory.writeSpec(spec);
    const order: RunnerOrder = {
      runDirectory: directory.path,
      mutexRoot: this.mutexRoot,
      environment: process.env as Record<string, string>,
      surroundings: { umask: 0o022, niceness: 0, limits: null, stdin: null },
      killDisabled: false,
    };
    const answer = await handOver(order);
    if (answer !== 'claimed') throw new Error(`The runner answered "${answer}".`);
    return directory;
  }
}

/** As the host's runner pool does it: detached, without a window, without the host's own variables. */
function handOver(order: RunnerOrder): Promise<string> {
  const runner = spawn(process.execPath, [runnerPath], {
    detached: true,
    windowsHide: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { SystemRoot: process.env['SystemRoot'], TEMP: process.env['TEMP'], UNJAM_RUN: 'none' },
  });
  runner.unref();
  runner.stdin.write(`${JSON.stringify(order)}\n`);
  return new Promise((resolve) => {
    createInterface({ input: runner.stdout })
      .once('line', (line) => {
        resolve(line);
        runner.stdin.destroy();
        runner.stdout.destroy();
      })
      .once('close', () => resolve('nothing'));
  });
}

const log = (directory: RunDirectory): string => readFileSync(directory.stdoutPath, 'utf8');
const lines = (directory: RunDirectory): string[] =>
  readFileSync(directory.eventsPath, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => (JSON.parse(line) as { text?: string }).text ?? []);
const running = (directory: RunDirectory, text = 'ready'): Promise<void> =>
  until(() => log(directory).includes(text), `"${text}" of the script`);
const verdictOf = async (directory: RunDirectory) => {
  await until(
    () => directory.readVerdict() !== null,
    'a verdict',
    () => readFileSync(directory.eventsPath, 'utf8'),
  );
  return directory.readVerdict()!;
};
/** The runner has written its last record and left. */
async function settled({ control }: Stage, directory: RunDirectory): Promise<void> {
  await until(
    () => directory.readTree() !== null,
    'tree.json',
    () => readFileSync(directory.eventsPath, 'utf8'),
  );
  await until(() => control.liveness(directory.readRunner()!.runner) === 'dead', 'the end of the runner');
}

const ask = (
  directory: RunDirectory,
  verb: 'cancel' | 'kill',
  over: { escalate?: boolean; graceMs?: number } = {},
): void => {
  const base = { id: `request-${verb}`, at: Date.now(), actor, reason: null, evidence: [] };
  directory.request(
    verb === 'kill'
      ? { ...base, verb }
      : { ...base, verb, signal: null, graceMs: over.graceMs ?? null, escalate: over.escalate ?? false },
  );
};

await scenarios({
  async finish(stage) {
    const host = new Host(stage);
    const began = performance.now();
    const directory = await host.start('later', ['50', '77']);
    const claimedMs = Math.round(performance.now() - began);
    const verdict = await verdictOf(directory);
    await settled(stage, directory);
    return {
      claimedMs,
      verdict,
      exit: directory.readExit(),
      output: log(directory),
      tree: directory.readTree(),
      scope: directory.readStarted()!.scope,
    };
  },

  async cancel(stage) {
    const directory = await new Host(stage).start('polite');
    await running(directory);
    ask(directory, 'cancel');
    const verdict = await verdictOf(directory);
    await settled(stage, directory);
    return { verdict, exit: directory.readExit(), output: log(directory), lines: lines(directory) };
  },

  async escalate(stage) {
    const directory = await new Host(stage).start('stubborn');
    await running(directory);
    ask(directory, 'cancel', { escalate: true, graceMs: 500 });
    const verdict = await verdictOf(directory);
    await settled(stage, directory);
    return { verdict, exit: directory.readExit(), output: log(directory), lines: lines(directory) };
  },

  async kill(stage) {
    const directory = await new Host(stage).start('family');
    await running(directory);
    const members = stage.control.tree(directory.readStarted()!.scope);
    const began = performance.now();
    ask(directory, 'kill');
    const verdict = await verdictOf(directory);
    const ms = Math.round(performance.now() - began);
    await settled(stage, directory);
    return {
      verdict,
      ms,
      exit: directory.readExit(),
      members: members.length,
      left: members.filter((m) => stage.control.liveness(m.identity) === 'alive').length,
      lines: lines(directory),
    };
  },

  async isolation(stage) {
    const host = new Host(stage);
    const isolation = { level: 'full', mutex: 'Web', timeoutMs: null } as const;
    const first = await host.start('stay', [], { isolation });
    await running(first);
    const second = await host.start('later', ['50', '0'], { isolation });
    const mutex = new Mutexes(host.mutexRoot, stage.control).open('web');
    await until(() => mutex.read().queue.length === 1, 'the second in the queue');
    const startedEarly = second.readStarted() !== null;
    ask(first, 'kill');
    await verdictOf(first);
    const verdict = await verdictOf(second);
    await settled(stage, second);
    return { startedEarly, verdict, lines: lines(second), state: mutex.read() };
  },

  async 'host dies'(stage) {
    const directory = await new Host(stage).start('told', [join(stage.folder, 'go'), '77']);
    await running(directory);
    say({ path: directory.path });
    say({ done: true });
    process.kill(process.pid, 'SIGKILL');
    return null;
  },

  async 'after the host'(stage) {
    const directory = new RunDirectory(stage.options['path']!);
    const { scope } = directory.readStarted()!;
    const found = {
      verdict: directory.readVerdict(),
      liveness: stage.control.treeLiveness(scope),
      runner: stage.control.liveness(directory.readRunner()!.runner),
    };
    writeFileSync(join(dirname(directory.path), 'go'), '');
    const verdict = await verdictOf(directory);
    return { found, verdict, exit: directory.readExit() };
  },

  /** The host finds a script whose runner was killed: it knows the tree, can end it, and no more than that. */
  async 'runner dies'(stage) {
    const { control } = stage;
    const directory = await new Host(stage).start('family');
    await running(directory);
    const { scope } = directory.readStarted()!;
    const { runner } = directory.readRunner()!;
    const before = control.tree(scope).length;
    const ended = control.end(runner);
    await until(() => control.liveness(runner) === 'dead', 'the end of the runner');
    // As on Windows, where the name of the job dies with its last handle.
    const orphaned = { ...scope, job: null };
    const tree = control.tree(orphaned);
    const liveness = control.treeLiveness(orphaned);
    const job = control.endTree(orphaned);
    const kills = tree.map((m) => control.end(m.identity).kind);
    await until(() => control.tree(orphaned).length === 0, 'the empty tree');
    return {
      before,
      ended,
      tree: tree.map((m) => m.by),
      liveness,
      job,
      kills,
      exit: directory.readExit(),
      verdict: directory.readVerdict(),
    };
  },

  async 'start failure'(stage) {
    const file = join(stage.folder, 'missing.exe');
    const directory = await new Host(stage).start('none', [], { file, command: [file] });
    const verdict = await verdictOf(directory);
    await settled(stage, directory);
    return { verdict, lines: lines(directory) };
  },

  /** Four processes change one mutex state at once; see `contend`. */
  async contention(stage) {
    const root = join(stage.folder, 'mutexes');
    mkdirSync(root, { recursive: true });
    const mutexes = new Mutexes(root, stage.control);
    mutexes.check();
    const workers = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [process.argv[1]!, 'contend', stage.folder, JSON.stringify({ root })], {
        stdio: ['ignore', 'ignore', 'inherit'],
        windowsHide: true,
      }),
    );
    const codes = await Promise.all(workers.map(async (w) => (await once(w, 'exit'))[0] as number));
    const state = mutexes.open('shared').read();
    return { codes, holders: state.holders.length, waiters: state.queue.length, version: state.version };
  },

  async contend(stage) {
    const mutex = new Mutexes(stage.options['root']!, stage.control).open('shared');
    for (let i = 0; i < 10; i++) {
      const id = `${process.pid}-${i}`;
      await mutex.enqueue({
        id,
        ticket: id,
        name: id,
        level: 'full',
        runner: stage.control.self,
        ancestors: [],
        queuedAt: Date.now(),
      });
      for (;;) {
        const hold = mutex.read().holders.find((h) => h.id === id);
        if (hold) {
          if (mutex.read().holders.length !== 1) throw new Error('two holders');
          await mutex.release(id, hold.fence);
          break;
        }
        await delay(5);
      }
    }
    return {};
  },
});
