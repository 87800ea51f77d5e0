/**
 * The life of scripts under every order of crashes: the real custody, records, mutexes and files over simulated
 * processes. Whatever happens, each script ends with one verdict, one completion and no mutex, and no stranger is ended.
 */
import fs, { mkdirSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import type { VerdictRecord } from '../../app/domain/script.ts';
import { Journal } from '../../app/journal/journal.ts';
import { type Mutex, Mutexes } from '../../app/locks/index.ts';
import type { ProcessControl } from '../../app/processes/index.ts';
import type { Reserve } from '../../app/run-directory/reserve.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { abandonNow } from '../../app/scripts/verbs/abandon.ts';
import { type Completion, Completions } from '../../app/scripts/completions.ts';
import { Custody } from '../../app/scripts/custody.ts';
import { ScriptRecord } from '../../app/scripts/record.ts';
import { Register } from '../../app/scripts/register.ts';
import { kim, specOf } from '../support/fake-domain.ts';
import { temporaryFolder } from '../support/fake-home.ts';
import { Machine, SimulatedScript } from '../support/simulated-script.ts';

const real = { ...fs };
let full = false;

/** Every write of new bytes is refused while the disk is full. */
function simulateDisk(): void {
  const refuse =
    <A extends unknown[], R>(act: (...args: A) => R) =>
    (...args: A): R => {
      if (full) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      return act(...args);
    };
  const refused = ['writeFileSync', 'writeSync', 'appendFileSync'] as const;
  for (const name of refused) Object.assign(fs, { [name]: refuse(real[name] as (...args: unknown[]) => unknown) });
  // A simulated disk needs no real one to be slow.
  Object.assign(fs, { fsyncSync: () => undefined, fsync: (_: number, done: () => void) => done() });
  syncBuiltinESMExports();
}

afterEach(() => {
  full = false;
  const { writeFileSync, writeSync, appendFileSync, fsyncSync, fsync } = real;
  Object.assign(fs, { writeFileSync, writeSync, appendFileSync, fsyncSync, fsync });
  syncBuiltinESMExports();
  vi.useRealTimers();
});

class Life {
  readonly machine = new Machine();
  readonly scripts: SimulatedScript[] = [];
  /** Completion ids in the order in which a consumer got them. */
  readonly told = new Map<string, string[]>();
  readonly firstVerdicts = new Map<string, string>();
  readonly #home: string;
  readonly #mutex: Mutex;
  readonly #control: ProcessControl;
  #looks = 0;
  #host: { register: Register; custody: Custody; gone: boolean } | null = null;

  constructor(home: string) {
    this.#home = home;
    mkdirSync(join(home, 'runs'), { recursive: true });
    this.#control = this.machine.control();
    this.#mutex = new Mutexes(join(home, 'mutexes'), this.#control).open('web');
  }

  get mutex(): Mutex {
    return this.#mutex;
  }

  host(): { register: Register; custody: Custody; gone: boolean } {
    if (this.#host) return this.#host;
    const host = { gone: false } as { register: Register; custody: Custody; gone: boolean };
    const log = (): void => undefined;
    const journal = new Journal(':memory:', log);
    const run = (_: unknown, __: unknown, { ticket, completionId }: Completion): Promise<string | null> => {
      this.told.set(ticket, [...(this.told.get(ticket) ?? []), completionId]);
      return new Promise((resolve) => setImmediate(() => host.gone || resolve(null))); // a dead host notes nothing
    };
    host.register = new Register(journal, log, new Completions(log, String, run));
    host.custody = new Custody({
      register: host.register,
      control: this.#control,
      mutexes: new Mutexes(join(this.#home, 'mutexes'), this.#control),
      killDisabled: false,
      log,
    });
    this.#host = host;
    for (const { directory } of this.scripts) {
      const record = ScriptRecord.load(directory.path, () => true);
      if (!record) continue;
      host.register.add(record);
      host.register.refresh(record, true);
    }
    return host;
  }

  crashHost(): void {
    if (!this.#host) return;
    this.#host.gone = true;
    this.#host.register.close();
    this.#host.custody.close();
    this.#host = null;
  }

  async start(): Promise<void> {
    const ticket = `t${this.scripts.length}`;
    const directory = new RunDirectory(join(this.#home, 'runs', ticket));
    const spec = specOf(ticket, { isolation: { level: 'full', mutex: 'web', timeoutMs: null }, notify: ['tell'] });
    directory.create();
    try {
      await directory.writeSpec(spec);
    } catch (error) {
      rmSync(directory.path, { recursive: true }); // refused, as the starter does
      throw error;
    }
    this.scripts.push(new SimulatedScript(this.machine, directory, spec, this.#mutex));
    const { register } = this.host();
    register.add(new ScriptRecord(directory.path, spec));
  }

  async look(): Promise<void> {
    const { register, custody } = this.host();
    this.#looks += 1;
    for (const record of register.living) {
      // A host reads the files of a watched script less often than it looks at its runner.
      if (this.#looks % 2 === 0) register.refresh(record);
      if (!record.isFinal || record.isOrphan) custody.look(record);
    }
    await this.#mutex.reap();
    await turn();
    for (const { directory } of this.scripts) this.#note(directory);
  }

  /** Force Kill of what has lost its runner: the host does it itself. */
  killOrphans(): void {
    const { register, custody } = this.host();
    for (const record of register.living)
      if (custody.has(record))
        custody.handle(record, { verb: 'kill', id: 'k', at: 0, actor: kim, reason: null, evidence: [] });
  }

  async abandon(script: SimulatedScript): Promise<void> {
    const { register, custody } = this.host();
    const record = register.find(script.directory.path.split('/').at(-1) ?? '');
    if (record.isFinal || record.runner === null) return;
    const spend = <T>(act: () => T | Promise<T>): Promise<T> => Promise.resolve().then(act);
    await abandonNow(
      record,
      { actor: kim, reason: null, holdQueue: false },
      {
        control: this.#control,
        register,
        custody,
        reserve: { spend } as Reserve,
        evidence: () => [],
        mutexOf: (r) => custody.mutexOf(r),
        killDisabled: false,
        log: () => undefined,
      },
    );
    register.refresh(record);
  }

  /** A verdict that was once read never changes. */
  #note(directory: RunDirectory): void {
    const verdict: VerdictRecord | null = directory.readVerdict();
    if (verdict === null) return;
    const text = JSON.stringify(verdict);
    expect(this.firstVerdicts.get(directory.path) ?? text).toBe(text);
    this.firstVerdicts.set(directory.path, text);
  }
}

const which = fc.nat({ max: 3 });
const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('start' as const) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('step' as const), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('exit', 'cancel', 'kill', 'abandon'), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('look', 'look', 'host-crash', 'host-kill', 'stranger') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('runner-crash' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reboot' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clock' as const), hours: fc.integer({ min: -48, max: 48 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('disk-full', 'disk-free', 'disk-free') }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** One sequence for each verdict that crashes can lead to, so that all of them are seen in every run of the test. */
const examples: [Command[]][] = (() => {
  const start: Command = { do: 'start' };
  const steps = (n: number): Command[] => Array.from({ length: n }, () => ({ do: 'step', which: 0 }));
  const running = [start, ...steps(4)];
  const first = (what: 'exit' | 'cancel' | 'kill' | 'abandon' | 'runner-crash'): Command => ({ do: what, which: 0 });
  const look: Command = { do: 'look' };
  return [
    [[...running, first('exit'), ...steps(6)]],
    [[...running, first('cancel'), ...steps(6)]],
    [[...running, first('kill'), ...steps(6)]],
    [[...running, first('abandon'), look, first('exit'), ...steps(6)]],
    [[...running, first('runner-crash'), look, first('exit'), look]],
    [[start, ...steps(1), first('runner-crash'), look]],
    [[start, { do: 'host-crash' }, { do: 'clock', hours: 48 }, look, ...steps(2)]],
  ];
})();

async function carryOut(life: Life, c: Command): Promise<void> {
  const script = 'which' in c ? life.scripts[c.which] : undefined;
  switch (c.do) {
    case 'start':
      return life.scripts.length < 4 ? life.start() : undefined;
    case 'step':
      return script?.step();
    case 'exit':
      return script?.running ? script.exits() : undefined;
    case 'cancel':
    case 'kill':
      return script?.begin(c.do);
    case 'abandon':
      return script ? life.abandon(script) : undefined;
    case 'look':
      return life.look();
    case 'host-crash':
      return life.crashHost();
    case 'host-kill':
      return life.killOrphans();
    case 'stranger':
      life.machine.begin('stranger', false);
      return;
    case 'runner-crash':
      return script?.crash();
    case 'reboot':
      life.crashHost();
      life.machine.reboot();
      return;
    case 'clock':
      vi.setSystemTime(Date.now() + ('hours' in c ? c.hours : 0) * 3_600_000);
      return;
    case 'disk-full':
    case 'disk-free':
      full = c.do === 'disk-full';
  }
}

async function settle(life: Life): Promise<void> {
  full = false;
  for (const s of life.scripts) if (s.running) s.exits();
  for (let round = 0; round < 40; round += 1) {
    for (const s of life.scripts) {
      await s.step().catch(() => undefined);
      if (s.running) s.exits();
    }
    await life.look();
    await turn();
  }
  // The last host starts anew, a minute later: what was not concluded is now.
  life.crashHost();
  vi.setSystemTime(Date.now() + 365 * 86_400_000); // more than the clock was ever set back
  await life.look();
  await life.look();
  await turn();
  await turn();
}

test('one verdict, one completion, a free mutex, no stranger ended, no acknowledged script forgotten', async () => {
  const folder = temporaryFolder();
  let n = 0;
  const seen: Record<string, number> = {};
  vi.useFakeTimers({ toFake: ['Date'] });
  simulateDisk();
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 60, size: 'max' }), async (commands) => {
      full = false;
      const home = join(folder, String((n += 1)));
      const life = new Life(home);
      try {
        for (const c of commands) await carryOut(life, c).catch(isFull);
        await settle(life);
        for (const s of life.scripts) {
          const ticket = s.directory.path.split('/').at(-1) ?? '';
          const verdict = s.directory.readVerdict();
          const spec = s.directory.readSpec();
          if (spec === null) continue; // refused on a full disk
          seen[verdict?.kind ?? 'none'] = (seen[verdict?.kind ?? 'none'] ?? 0) + 1;
          expect(verdict, ticket).not.toBeNull();
          expect(s.runs, ticket).toBeLessThanOrEqual(1);
          if (s.runs === 0) expect(['exited', 'lost', 'killed'], ticket).not.toContain(verdict?.kind);
          else expect(verdict?.kind, ticket).not.toBe('never-started');
          if (s.begun !== null) expect(verdict?.kind, ticket).not.toBe('exited');
          expect(new Set(life.told.get(ticket)).size, ticket).toBe(1);
          expect(s.directory.readDelivered()?.completionId).toBe(`run-${ticket}:${verdict?.kind}`);
        }
        const state = life.mutex.read();
        expect([state.holders, state.queue, state.abandoned]).toEqual([[], [], []]);
        expect(life.machine.foreign).toEqual([]);
      } finally {
        life.crashHost();
        rmSync(home, { recursive: true, force: true });
      }
    }),
    { numRuns: Number(process.env['UNJAM_MODEL_RUNS'] ?? 150), examples },
  );
  for (const kind of ['exited', 'cancelled', 'killed', 'abandoned', 'lost', 'never-started'])
    expect(seen[kind], JSON.stringify(seen)).toBeGreaterThan(0);
}, 120_000);

/** What the disk refuses is repeated by the next step or look; anything else is a fault. */
function isFull(error: unknown): void {
  if (!/ENOSPC/.test(String((error as Error).message))) throw error;
}
