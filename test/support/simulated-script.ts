/**
 * A machine that only exists in memory, with the life of one script on it in the order of `app/runner/session.ts`.
 * Files, mutexes, custody and records are the real ones; processes, boots and the disk's fullness are simulated.
 */
import type { Liveness, ProcessIdentity } from '../../app/domain/identity.ts';
import type { Hold } from '../../app/domain/mutex.ts';
import { placeOf } from '../../app/domain/mutex.ts';
import type { ScriptSpec, TreeScope, VerdictKind } from '../../app/domain/script.ts';
import type { Mutex } from '../../app/locks/index.ts';
import type { ProcessControl } from '../../app/processes/index.ts';
import type { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { identity, kim } from './fake-domain.ts';

/** Pids are few, so that they are used again all the time. */
const pids = 12;

export class Machine {
  boot = 1;
  #starts = 0;
  readonly #living = new Map<number, ProcessIdentity>();
  /** Identities that Unjam has ended although they were not its own. */
  readonly foreign: ProcessIdentity[] = [];
  readonly own = new Set<string>();

  /** Of a Linux machine: Windows' boot ids are times. */
  get #place(): { readonly bootId: string; readonly pidNamespace: string } {
    return { bootId: `boot-${this.boot}`, pidNamespace: 'pid:[4026531836]' };
  }

  /** A process under the lowest free pid from `from` on. */
  begin(name: string, own: boolean, from = 1): ProcessIdentity {
    for (let i = 0; ; i += 1) {
      const pid = ((from + i) % pids) + 2;
      if (this.#living.has(pid) && i < pids) continue;
      const p = identity(this.#living.has(pid) ? pids + 2 + this.#starts : pid, {
        ...this.#place,
        startTime: String((this.#starts += 1)),
        name,
      });
      this.#living.set(p.pid, p);
      if (own) this.own.add(p.startTime);
      return p;
    }
  }

  liveness = (p: ProcessIdentity): Liveness => {
    const now = this.#living.get(p.pid);
    return now !== undefined && now.startTime === p.startTime && now.bootId === p.bootId ? 'alive' : 'dead';
  };
  identify = (pid: number): ProcessIdentity | null => this.#living.get(pid) ?? null;
  treeLiveness = (scope: TreeScope): Liveness => this.liveness(scope.root);
  tree = (scope: TreeScope): { identity: ProcessIdentity }[] =>
    this.treeLiveness(scope) === 'alive' ? [{ identity: scope.root }] : [];

  /** What Unjam sends: a signal to a pid, whoever has it now. */
  signal = (p: ProcessIdentity): void => {
    const now = this.#living.get(p.pid);
    if (now !== undefined && !this.own.has(now.startTime)) this.foreign.push(now);
    this.end(p);
  };

  /** What happens by itself. */
  end = (p: ProcessIdentity): void => {
    if (this.liveness(p) === 'alive') this.#living.delete(p.pid);
  };

  reboot(): void {
    this.boot += 1;
    this.#living.clear();
  }

  /** What a host knows of this machine and does to it; a process obeys every signal at once. */
  control(): ProcessControl {
    const { identify, liveness, treeLiveness, tree, signal } = this;
    const self = (): ProcessIdentity => identity(1, this.#place);
    return {
      identify, liveness, treeLiveness, tree, end: signal, endTree: (scope: TreeScope) => signal(scope.root), elevated: true,
      interrupt: async ({ root }: TreeScope) => (signal(root), { kind: 'sent', what: 'SIGTERM' }),
      get self() { return self(); },
    } as unknown as ProcessControl; // prettier-ignore
  }
}

type Next = 'claim' | 'grant' | 'launch' | 'start' | 'run' | 'exit' | 'verdict' | 'release' | 'tree' | 'over';

/** A runner and its script; each `step` is what happens between two crashes. */
export class SimulatedScript {
  readonly directory: RunDirectory;
  readonly runner: ProcessIdentity;
  readonly #machine: Machine;
  readonly #spec: ScriptSpec;
  readonly #mutex: Mutex;
  #next: Next = 'claim';
  #hold: Hold | null = null;
  #scope: TreeScope | null = null;
  #begun: VerdictKind | null = null;
  /** How often the script's first instruction was carried out. */
  runs = 0;
  /** The start was acknowledged to its caller. */
  acknowledged = false;

  constructor(machine: Machine, directory: RunDirectory, spec: ScriptSpec, mutex: Mutex) {
    this.directory = directory;
    this.runner = machine.begin('runner', true);
    this.#machine = machine;
    this.#spec = spec;
    this.#mutex = mutex;
  }

  get over(): boolean {
    return this.#next === 'over' || this.#machine.liveness(this.runner) === 'dead';
  }
  get running(): boolean {
    return this.#next === 'run' && this.#scope !== null && this.#machine.treeLiveness(this.#scope) === 'alive';
  }
  get begun(): VerdictKind | null {
    return this.#begun;
  }

  /** The intent stands before the signal is sent. */
  begin(verb: 'cancel' | 'kill'): void {
    if (this.over || !this.running || !this.#scope) return;
    this.directory.append('runner', { type: 'intent', verb, actor: kim });
    this.#begun ??= verb === 'cancel' ? 'cancelled' : 'killed';
    this.#machine.end(this.#scope.root);
  }

  exits(): void {
    if (this.#scope) this.#machine.end(this.#scope.root);
  }

  /** The next thing the runner does; what the disk refuses is done again by the next step. */
  async step(): Promise<void> {
    if (this.over) return;
    const { directory } = this;
    switch (this.#next) {
      case 'claim': {
        const queuedAt = Date.now();
        const { runId: id, ticket, name, ancestors } = this.#spec;
        await this.#mutex.enqueue({ id, ticket, name, level: 'full', runner: this.runner, ancestors, queuedAt });
        const first = directory.writeRunner({ schema: 1, protocol: 1, runner: this.runner, claimedAt: Date.now() });
        this.acknowledged = first;
        if (!first) this.#machine.end(this.runner); // too late: it exits, and the reaper gives its place up
        this.#next = first ? 'grant' : 'over';
        return;
      }
      case 'grant': {
        const place = placeOf(this.#mutex.read(), this.#spec.runId);
        if (place.kind === 'waits') return;
        this.#hold = place.kind === 'holds' ? place.hold : null;
        this.#begun = this.#hold === null ? 'cancelled' : null;
        this.#next = this.#hold === null ? 'verdict' : 'launch';
        return;
      }
      case 'launch': {
        const root = this.#machine.begin('gate', true);
        const scope = { root, runId: this.#spec.runId, group: root.pid, job: null };
        this.#scope = scope;
        this.#next = 'start';
        return;
      }
      case 'start':
        if (!this.#hold || !this.#scope) return;
        if (!(await this.#mutex.confirm(this.#hold.id, this.#hold.fence, this.#scope))) {
          this.exits();
          this.#begun = 'cancelled';
          this.#next = 'verdict';
          return;
        }
        directory.writeStarted({ schema: 1, scope: this.#scope, fence: this.#hold.fence, startedAt: 0, waitedMs: 0 });
        this.runs += 1;
        this.#next = 'run';
        return;
      case 'run':
        if (!this.running) this.#next = 'exit';
        return;
      case 'exit':
        directory.writeExit({
          schema: 1,
          code: 7,
          signal: null,
          endedAt: Date.now(),
          durationMs: 1,
          stdoutBytes: 0,
          stderrBytes: 0,
        });
        this.#next = 'verdict';
        return;
      case 'verdict':
        directory.writeVerdict({
          schema: 1,
          kind: this.#begun ?? 'exited',
          timeout: null,
          exitCode: 7,
          signal: null,
          at: Date.now(),
          durationMs: 1,
          detail: null,
          actor: null,
        });
        this.#next = 'release';
        return;
      case 'release':
        if (this.#hold) await this.#mutex.release(this.#hold.id, this.#hold.fence);
        this.#next = 'tree';
        return;
      case 'tree':
        directory.writeTree({ schema: 1, emptyAt: Date.now(), left: [] });
        this.#next = 'over';
        this.#machine.end(this.runner);
        return;
      case 'over':
    }
  }

  /** SIGKILL of the runner: a script behind its gate goes with it, a running one does not. */
  crash(): void {
    this.#machine.end(this.runner);
    if (this.#next === 'start') this.exits();
  }
}
