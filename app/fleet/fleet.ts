/** The mutexes of a fleet as one of its hosts sees them. */
import { UnjamError } from '../contract/errors.ts';
import type { FleetView, Reply, Snapshot } from '../contract/methods.ts';
import { idle, type MutexState, seenFrom } from '../domain/mutex.ts';
import { nameKey } from '../domain/names.ts';
import { type FleetMutexes, type LivenessProbe, Mutex } from '../locks/index.ts';
import { type Call, CallDesk } from './call-desk.ts';
import { type FleetConfig, readFleetConfig } from './config.ts';
import { FleetStore, type Row } from './fleet-store.ts';
import { beatOf, type FleetHost, hostsOf } from './hosts.ts';
import { LastTold } from './last-told.ts';
import { Engine } from './postgres.ts';
import { Seen } from './seen.ts';
import { ShopWindow } from './snapshot.ts';

/** Between two looks of a host at all mutexes, two signs of its life, and two looks for calls, ms. */
const lookMs = 2_000;
const beatMs = 5_000;
const callsMs = 1_000;
/** An engine that is away for longer refuses a start, ms. */
const patienceMs = 15_000;

export class Fleet implements FleetMutexes, AsyncDisposable {
  readonly config: FleetConfig;
  readonly #engine: Engine;
  readonly #probe: LivenessProbe;
  readonly #stores = new Map<string, { readonly store: FleetStore; readonly mutex: Mutex }>();
  readonly #seen: Seen;
  readonly #log: (line: string) => void;
  #restoredAt: string | null;
  /** Only a host keeps what it has seen. */
  #isHost = false;
  /** Engine's clock minus own clock, ms. */
  #offsetMs = 0;
  readonly #timers: NodeJS.Timeout[] = [];
  /** The first transaction of the engine that was not done at the last look. */
  #sawUpTo: string | null = null;
  #isRetired = false;
  /** Of a mutex that the engine tells otherwise than before. */
  #doubt: string | null = null;
  #window: ShopWindow | null = null;
  readonly #hosts = new LastTold<FleetHost[]>([]);

  constructor(
    stateDirectory: string,
    config: FleetConfig,
    probe: LivenessProbe,
    what: string,
    log: (line: string) => void,
  ) {
    this.config = config;
    this.#seen = new Seen(stateDirectory, config.fleet, log);
    this.#restoredAt = this.#seen.restoredAt;
    this.#log = log;
    this.#engine = new Engine(config.engine, `unjam ${what}`);
    this.#probe = probe;
  }

  /** The name of this host in the fleet. */
  get host(): string {
    return this.config.engine.user;
  }

  /** What operators should know of it, one sentence; null when all is well. */
  get problem(): string | null {
    if (this.#isRetired) return `This host was retired from the fleet as "${this.host}".`;
    return this.#engine.problem ?? this.#seen.problem ?? this.#doubt;
  }

  open(name: string): Mutex {
    return this.#at(name).mutex;
  }

  busy(): readonly { readonly mutex: Mutex; readonly state: MutexState }[] {
    return [...this.#stores.values()]
      .map(({ mutex }) => ({ mutex, state: seenFrom(mutex.read(), this.host) }))
      .filter(({ state }) => !idle(state));
  }

  /**
   * Waits until the engine answers.
   * @throws UnjamError `engine-unreachable`, `fleet-retired`, `fleet-went-back`
   */
  async ready(): Promise<void> {
    for (const until = performance.now() + patienceMs; ;) {
      try {
        await this.#beat();
        if (!this.#isRetired) return this.#allowed();
        throw new UnjamError(
          'fleet-retired',
          `This host was retired from the fleet as "${this.host}".`,
          'Ask who runs the fleet to admit it again; nothing was started.',
        );
      } catch (error) {
        if (error instanceof UnjamError) throw error;
        if (performance.now() < until) {
          await new Promise((done) => setTimeout(done, 250));
          continue;
        }
        throw new UnjamError(
          'engine-unreachable',
          `${(error as Error).message}.`,
          'Nothing was started. Scripts that hold or wait for mutexes of the fleet keep them; see "unjam fleet doctor".',
        );
      }
    }
  }

  /** Its hosts now; or as the engine told them last, and why it does not now. */
  async view(): Promise<FleetView> {
    const { value: hosts, ...told } = await this.#hosts.look(() => hostsOf(this.#engine));
    return { host: this.host, hosts, ...told };
  }

  /** Looks at all mutexes and shows that this host lives, until it is closed. Only a host does. */
  attend(): void {
    this.#isHost = true;
    const quietly = (act: () => Promise<void>) => (): void => void act().catch(() => undefined);
    this.#timers.push(
      setInterval(
        quietly(() => this.#lookAgain()),
        lookMs,
      ).unref(),
      setInterval(
        quietly(() => this.#live()),
        beatMs,
      ).unref(),
    );
    quietly(() => this.#live())();
    quietly(() => this.#lookAgain())();
  }

  /** Answers what persons ask of this host through the engine, until it is closed. */
  takeCalls(answer: (call: Call) => Promise<Reply>): void {
    const desk = new CallDesk(this.#engine, this.config.installation, answer);
    this.#timers.push(setInterval(() => void desk.look(), callsMs).unref());
  }

  /** From now on persons of the fleet see these scripts of this host, as they were before each sign of its life. */
  show(scripts: () => Pick<Snapshot, 'scripts' | 'observed'>): void {
    this.#window = new ShopWindow(this.#engine, this.config.installation, scripts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#engine.close();
  }

  async #live(): Promise<void> {
    await this.#window?.show();
    await this.#beat();
  }

  async #beat(): Promise<void> {
    const asked = Date.now();
    const before = this.#seen.beat;
    const [row] = await this.#engine.query<{ now_ms: number; retired: boolean; counts: boolean }>(
      `select *, has_column_privilege('unjam.host', 'beat', 'select') as counts from unjam.beat($1)`,
      [this.config.installation],
    );
    if (row === undefined)
      throw new UnjamError(
        'fleet-refused',
        `The fleet does not know this installation as "${this.host}".`,
        'Join it with "unjam fleet join".',
      );
    this.#isRetired = row.retired;
    this.#offsetMs = row.now_ms - (asked + Date.now()) / 2;
    if (!row.counts) return; // a schema that does not let its hosts count
    const wasWell = this.#seen.problem === null;
    await this.#seen.compare(before, await beatOf(this.#engine), this.#isHost);
    if (wasWell && this.#seen.problem !== null)
      this.#log(`W394 ${this.#seen.problem}. Its mutexes are not changed until "unjam fleet restored".`);
  }

  /** @throws UnjamError `fleet-went-back` */
  #allowed(): void {
    this.#seen.check();
    const { restoredAt } = this.#seen;
    if (restoredAt === this.#restoredAt) return;
    this.#restoredAt = restoredAt;
    for (const { store } of this.#stores.values()) store.takeAny();
    this.#sawUpTo = null;
  }

  async #lookAgain(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      if (error instanceof UnjamError) this.#doubt = error.message; // such as an engine with the schema before
    }
  }

  async #look(): Promise<void> {
    if (this.#seen.problem === null) this.#allowed();
    // A row of a database that was dumped and loaded elsewhere names a transaction that is still to come there.
    const rows = await this.#engine.query<Row & { name: string | null; now: string; back: boolean }>(
      `select m.version, m.state, m.state->>'name' as name, pg_snapshot_xmin(t.seen)::text as now,
           coalesce(pg_snapshot_xmin(t.seen) < $1::xid8, false) as back
         from (select pg_current_snapshot() as seen) t
         left join unjam.mutex m
           on $1::xid8 is null or (m.changed_in >= $1::xid8 and m.changed_in < pg_snapshot_xmax(t.seen))`,
      [this.#sawUpTo],
    );
    // An engine that was restored counts from a smaller number: the next look is at everything.
    this.#sawUpTo = rows[0]?.back === true ? null : (rows[0]?.now ?? null);
    this.#doubt = null;
    for (const { name, ...row } of rows)
      try {
        if (name !== null) this.#at(name).store.seen(row);
      } catch (error) {
        this.#doubt = (error as Error).message;
      }
    for (const { store } of this.#stores.values())
      if (store.takesAny)
        await store.refresh(); // it is in no row when the engine has forgotten it
      else store.isStillSo();
  }

  #at(name: string): { readonly store: FleetStore; readonly mutex: Mutex } {
    const known = this.#stores.get(nameKey(name));
    if (known) return known;
    const store = new FleetStore(
      this.#engine,
      name,
      () => Date.now() + this.#offsetMs,
      () => this.#allowed(),
    );
    const made = { store, mutex: new Mutex(store, this.#probe, this.host) };
    this.#stores.set(nameKey(name), made);
    return made;
  }
}

/** Null when the host of that state directory has joined none. `what` is shown to who looks at the engine. */
export function joinedFleet(
  stateDirectory: string,
  probe: LivenessProbe,
  what: string,
  log: (line: string) => void = () => undefined,
): Fleet | null {
  const config = readFleetConfig(stateDirectory);
  return config && new Fleet(stateDirectory, config, probe, what, log);
}
