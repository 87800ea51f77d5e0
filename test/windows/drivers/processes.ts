/** Finding, describing, signalling and ending processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWithToolhelp } from '../../../app/processes/windows/process-table.ts';
import { readEnvironmentVariable } from '../../../app/processes/windows/process-memory.ts';
import type { TreeScope } from '../../../app/domain/script.ts';
import { say, scenarios, simulantPath, until } from '../support/scenarios.ts';
import { denyTermination } from '../support/access-list.ts';
import { suspend } from '../support/suspend.ts';

const names = (members: readonly { by: string; identity: { name: string } }[]): string[] =>
  members.map((m) => `${m.by} ${m.identity.name.toLowerCase()}`);

await scenarios({
  async self({ control }) {
    return {
      self: control.self,
      same: control.identify(process.pid),
      user: control.user,
      elevated: control.elevated,
      alive: control.liveness(control.self),
    };
  },

  async family({ control, simulant }) {
    const script = await simulant('family');
    await script.until('ready');
    const tree = control.tree(script.scope);
    const withTable = control.tree(script.scope, control.snapshot());
    return {
      tree: names(tree),
      parents: tree.map((m) => m.parentPid),
      pids: tree.map((m) => m.identity.pid),
      same: withTable.length === tree.length,
    };
  },

  /**
   * What the tree is when the system's clock was set an hour back or ahead after the root began: newer processes look
   * older, or much newer.
   */
  async 'clock set'({ control, simulant }) {
    const script = await simulant('family');
    await script.until('ready');
    const hour = 36_000_000_000n;
    const after = (by: bigint): unknown => {
      const moved = control.snapshot().map((process) => {
        const { identity } = process;
        if (identity.pid === script.scope.root.pid) return process;
        return { ...process, identity: { ...identity, startTime: String(BigInt(identity.startTime) + by) } };
      });
      const withoutRoot = moved.filter((p) => p.identity.pid !== script.scope.root.pid);
      return {
        byJob: names(control.tree(script.scope, moved)),
        byCookie: names(control.tree({ ...script.scope, job: null }, moved)),
        rootGone: names(control.tree(script.scope, withoutRoot)),
      };
    };
    return { back: after(-hour), ahead: after(hour) };
  },

  /** The same machine under another name, and as version 0.1 wrote it: by name alone. */
  async machine({ control, simulant }) {
    const script = await simulant('stay');
    await script.until('ready');
    const { root } = script.scope;
    const { machineId, ...named } = root;
    const renamed = { ...root, machine: 'NEW-NAME' };
    return {
      machineId,
      named: [control.liveness(named), control.tree({ ...script.scope, root: named }).map((m) => m.by)],
      renamed: [control.liveness(renamed), control.tree({ ...script.scope, root: renamed }).map((m) => m.by)],
      renamedWithoutId: control.liveness({ ...named, machine: 'NEW-NAME' }),
      otherId: control.liveness({ ...root, machineId: '00000000-0000-0000-0000-000000000000' }),
      bootTimeWrong: control.liveness({ ...root, bootId: '1' }),
      ended: control.end(renamed),
      exit: await script.exited,
    };
  },

  async orphan({ control, simulant }) {
    const script = await simulant('orphan');
    await script.until('ready');
    const exit = await script.exited;
    const pid = Number(/ready (\d+)/.exec(script.stdout())![1]);
    const tree = control.tree(script.scope);
    const treeLiveness = control.treeLiveness(script.scope);
    const parentGone = tree[0] !== undefined && control.identify(tree[0].parentPid) === null;
    const withoutJob = control.tree({ ...script.scope, job: null });
    const ended = control.endTree(script.scope);
    await until(() => control.treeLiveness(script.scope) === 'dead', 'the empty tree');
    return {
      exit,
      tree: names(tree),
      found: tree[0]?.identity.pid === pid,
      treeLiveness,
      parentGone,
      withoutJob: names(withoutJob),
      ended,
    };
  },

  async background({ control, simulant, options }) {
    const script = await simulant('background', [options['as']!]);
    await script.until('background');
    const [, pid, left] = /background (\d+) (.*)\n/.exec(script.stdout())!;
    const started = control.identify(Number(pid))!;
    await until(() => readEnvironmentVariable(started.pid, 'UNJAM_RUN') !== null, 'its environment');
    const tree = control.tree(script.scope).map((m) => m.by);
    control.endTree(script.scope);
    await script.exited;
    const after = control.liveness(started);
    const orphan = control.tree(script.scope).map((m) => m.by);
    control.end(started);
    await until(() => control.liveness(started) === 'dead', 'its end');
    return { left, tree, after, orphan };
  },

  async 'end tree'({ control, simulant }) {
    const script = await simulant('family');
    await script.until('ready');
    const members = control.tree(script.scope);
    const began = performance.now();
    const ended = control.endTree(script.scope);
    const exit = await script.exited;
    await until(() => members.every((m) => control.liveness(m.identity) === 'dead'), 'the end of all members');
    return {
      members: members.length,
      ended,
      exit,
      ms: Math.round(performance.now() - began),
      again: control.endTree(script.scope),
    };
  },

  /** Holds a script for another process; ends when its job does. */
  async hold({ simulant }) {
    const script = await simulant('family');
    await script.until('ready');
    say({ scope: script.scope });
    return { exit: await script.exited };
  },

  async 'end tree by name'({ control, options }) {
    const scope = JSON.parse(options['scope']!) as TreeScope;
    const before = control.tree(scope);
    const liveness = control.treeLiveness(scope);
    const ended = control.endTree(scope);
    await until(() => control.treeLiveness(scope) === 'dead', 'the empty tree');
    return { before: names(before), liveness, ended };
  },

  async 'watch a stranger'({ control, options }) {
    const scope = JSON.parse(options['scope']!) as TreeScope;
    const liveness = control.liveness(scope.root);
    const tree = control.tree({ ...scope, job: null });
    writeFileSync(options['go']!, '');
    await until(() => control.liveness(scope.root) === 'dead', 'its end');
    return { liveness, tree: names(tree), identify: control.identify(scope.root.pid) };
  },

  async end({ control, options }) {
    const identity = JSON.parse(options['identity']!) as TreeScope['root'];
    const outcome = control.end(identity);
    await until(() => control.liveness(identity) === 'dead', 'its end');
    return { outcome };
  },

  async liveness({ control, options }) {
    const root = JSON.parse(options['root']!) as TreeScope['root'];
    await until(() => control.liveness(root) === 'dead', 'its end');
    return { liveness: control.liveness(root) };
  },

  async 'ended but held'({ control, simulant }) {
    const child = spawn(process.execPath, [simulantPath, 'stay'], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    const identity = control.identify(child.pid!)!;
    const alive = control.liveness(identity);
    const first = control.end(identity);
    await until(() => control.liveness(identity) === 'dead', 'its end');
    const again = control.end(identity);
    await once(child, 'exit');
    // Exit code 259 (STILL_ACTIVE) is a code like any other.
    const script = await simulant('exit', ['259']);
    script.release();
    const exit = await script.exited;
    return { alive, first, again, exit, after: control.liveness(script.scope.root) };
  },

  async 'foreign identities'({ control, simulant }) {
    const script = await simulant('stay');
    await script.until('ready');
    const root = script.scope.root;
    const reused = { ...root, startTime: String(BigInt(root.startTime) - 10_000_000n) };
    return {
      reused: [control.end(reused), control.liveness(reused)],
      otherMachine: [
        control.end({ ...root, machine: 'elsewhere', machineId: 'another' }),
        control.liveness({ ...root, machine: 'elsewhere', machineId: 'another' }),
      ],
      idle: control.end({ ...root, pid: 0 }),
      system: control.end({ ...root, pid: 4 }),
      self: control.end(control.self),
      missing: control.end({ ...root, pid: 999_996 }),
      stillAlive: control.liveness(root),
      real: control.end(root),
      exit: await script.exited,
    };
  },

  async denied({ control, simulant }) {
    const script = await simulant('stay');
    await script.until('ready');
    const { root } = script.scope;
    const changed = denyTermination(root.pid);
    const outcome = control.end(root);
    const why = control.whyAlive(root, outcome);
    const alive = control.liveness(root);
    const job = control.endTree(script.scope);
    return { changed, outcome, why, alive, job, exit: await script.exited };
  },

  async facts({ control, simulant }) {
    const script = await simulant('busy', ['an argument', 'ünï']);
    await script.until('ready');
    const { root } = script.scope;
    const find = () => control.snapshot().find((p) => p.identity.pid === root.pid);
    await until(() => (find()?.cpuMs ?? 0) > 100, 'CPU time');
    const seen = find()!;
    return {
      root,
      seen,
      facts: control.facts(root),
      cookie: readEnvironmentVariable(root.pid, 'unjam_run'),
      missing: readEnvironmentVariable(root.pid, 'NOT_THERE') ?? 'none',
      runId: script.scope.runId,
      own: control.self.pid,
      now: Date.now(),
    };
  },

  async snapshot({ control }) {
    const began = performance.now();
    const table = control.snapshot();
    const ms = performance.now() - began;
    const own = table.find((p) => p.identity.pid === process.pid);
    const toolhelp = readWithToolhelp()?.find((e) => e.pid === process.pid);
    return {
      count: table.length,
      ms,
      own,
      self: control.self,
      toolhelp: { ...toolhelp, created: String(toolhelp?.created) },
    };
  },

  async interrupt({ control, simulant, options }) {
    const script = await simulant(options['kind']!);
    await script.until('ready');
    const began = performance.now();
    const outcome = await control.interrupt(script.scope, options['signal'] as 'ctrl-c');
    const ms = Math.round(performance.now() - began);
    if (options['kind'] === 'stubborn') {
      await until(() => script.stdout().includes('ignored'), 'the signal');
      return { outcome, ms, output: script.stdout(), alive: control.liveness(script.scope.root) };
    }
    const exit = await script.exited;
    await until(() => control.treeLiveness(script.scope) === 'dead', 'the empty tree');
    return { outcome, ms, exit, output: script.stdout(), root: script.scope.root.pid };
  },

  async 'interrupt suspended'({ control, simulant }) {
    const script = await simulant('polite');
    await script.until('ready');
    const { root } = script.scope;
    const suspended = suspend(root.pid);
    const facts = control.facts(root);
    const outcome = await control.interrupt(script.scope, 'ctrl-c');
    return { suspended, waitsFor: facts?.waitsFor, outcome, exit: await script.exited, output: script.stdout() };
  },

  async 'interrupt batch'({ control, launch, folder }) {
    const path = join(folder, 'wait.cmd');
    writeFileSync(path, `@"${process.execPath}" "${simulantPath}" stay\r\n@echo after\r\n`);
    const script = await launch(path, []);
    await script.until('ready');
    const outcome = await control.interrupt(script.scope, 'ctrl-c');
    return { outcome, exit: await script.exited, output: script.stdout() };
  },

  /** As a runner: in a process group of its own, which ignores Ctrl-C and passes that on. */
  async 'flag of a detached runner'({ control, simulant, options }) {
    if (options['prepare'] === 'yes') control.prepareRunner();
    const script = await simulant('polite');
    await script.until('ready');
    const outcome = await control.interrupt(script.scope, 'ctrl-c');
    if (options['prepare'] === 'yes') return { outcome, exit: await script.exited, output: script.stdout() };
    const second = await simulant('later', ['1000', '0']);
    second.release();
    await second.exited;
    return { outcome, alive: control.liveness(script.scope.root), output: script.stdout() };
  },

  /** Starts the scenario above in a new process group, which is what Node's `detached` does. */
  async detached({ folder, options }) {
    const child = spawn(
      process.execPath,
      [process.argv[1]!, 'flag of a detached runner', folder, JSON.stringify(options)],
      {
        detached: true,
        windowsHide: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(child, 'exit');
    return JSON.parse(said.split('\n')[0]!) as unknown;
  },

  async 'interrupt gone'({ control, simulant }) {
    const script = await simulant('exit', ['0']);
    script.release();
    await script.exited;
    return {
      outcome: await control.interrupt(script.scope, 'ctrl-c'),
      tree: control.tree(script.scope),
      facts: control.facts(script.scope.root),
    };
  },

  async 'interrupt without console'({ control }) {
    const child = spawn(process.execPath, [simulantPath, 'stay'], {
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    const root = control.identify(child.pid!)!;
    const scope: TreeScope = { root, runId: 'none', group: null, job: null };
    const outcome = await control.interrupt(scope, 'ctrl-c');
    control.end(root);
    await once(child, 'exit');
    return { outcome };
  },

  async 'close windows'({ control, launch }) {
    const script = await launch('C:\\windows\\system32\\notepad.exe', []);
    script.release();
    let outcome = await control.interrupt(script.scope, 'ctrl-c');
    const saw: string[] = [];
    await until(() => {
      void control.interrupt(script.scope, 'ctrl-c').then((o) => {
        outcome = o;
        if (o.kind === 'sent') saw.push(o.what);
      });
      return saw.some((w) => w.includes('WM_CLOSE')) || control.liveness(script.scope.root) === 'dead';
    }, 'a window');
    return { outcome, saw, exit: await script.exited };
  },
});
