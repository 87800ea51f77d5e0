/** When the agents of this host are looked at: every 30 s, every 10 s while somebody looks, and whenever it is asked. */
import { conclude, nothingSeen, type Seen, without } from '../agents/looks.ts';
import type { Memory } from '../agents/memory.ts';
import type { RecognisedAgent } from '../agents/observed-script.ts';
import type { Recogniser } from '../agents/recogniser.ts';
import { recognisers as allRecognisers } from '../agents/recognisers/index.ts';
import type { ForeignProcesses, ProcessControl } from '../processes/index.ts';
import { type Look, Observer } from './observer.ts';

export interface LookingOptions {
  readonly control: ProcessControl;
  readonly foreign: ForeignProcesses;
  readonly settings: () => { readonly observe: boolean; readonly ignore: readonly string[] };
  readonly recognisers?: readonly Recogniser[];
  readonly self?: number;
  /** After each look, before anybody hears of what has changed. */
  readonly looked: () => void;
  /** An agent was seen for the first time. */
  readonly agentSeen: (agent: RecognisedAgent) => void;
  /** A look that it took by itself has failed. */
  readonly failed: (why: string) => void;
}

const restMs = 30_000;
const watchedMs = 10_000;
/** A look by itself comes so long after the beat of the health sampler, which is at most a tick of a second late. */
const afterBeatMs = 1_500;
/** Then it takes the sampler's table, also when this timer is late. */
const beatTableMs = 3_000;
/** A list that is not older than this needs no new look. */
const freshMs = 1_000;

export class Looking {
  readonly #o: LookingOptions;
  readonly #listeners = new Set<() => void>();
  #observer: Observer;
  #ignored = '';
  #seen: Seen = nothingSeen;
  #last: Look | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: LookingOptions) {
    this.#o = options;
    this.#observer = this.#newObserver();
  }

  get observer(): Observer {
    return this.#observer;
  }

  get last(): Look | null {
    return this.#last;
  }

  get memory(): Memory {
    return this.#seen.memory;
  }

  /** The recognisers in use on this system. */
  get known(): readonly Recogniser[] {
    return this.#used().filter((r) => r.systems.includes(this.#observer.system));
  }

  /** By the clock of the last look, which is what its times are told by: nobody falls silent when it is set. */
  now(): number {
    const { moment } = this.#seen;
    return moment === null ? Date.now() : moment.at + this.#o.control.now() - moment.seenAt;
  }

  /** Begins to look by itself. */
  start(): void {
    this.#schedule(0);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  /** While somebody listens it looks more often. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1 && this.#timer !== null) this.#schedule(0);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** A look that is not older than a second; null while observing is off. */
  async refresh(): Promise<Look | null> {
    if (!this.#o.settings().observe) return null;
    if (this.#last !== null && this.#o.control.now() - this.#last.seenAt < freshMs) return this.#last;
    return this.look();
  }

  /** A look at this moment; its table may be `tableMs` old. */
  async look(tableMs = 0): Promise<Look> {
    const { ignore } = this.#o.settings();
    if (ignore.join() !== this.#ignored) {
      this.#observer = this.#newObserver();
      this.#seen = without(this.#seen, ignore);
    }
    this.#ignored = ignore.join();
    const look = await this.#observer.look(tableMs);
    if (look === this.#last || this.#closed) return look;
    const { seen, newAgents, changed } = conclude(this.#seen, look);
    this.#seen = seen;
    this.#last = look;
    newAgents.forEach(this.#o.agentSeen);
    this.#o.looked();
    if (changed) this.changed();
    return look;
  }

  #schedule(ms: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      const look = this.#o.settings().observe
        ? this.look(ms === 0 ? 0 : beatTableMs).then(() => undefined)
        : Promise.resolve();
      look
        .catch((error: unknown) => this.#o.failed((error as Error).message))
        .finally(() => {
          const beatMs = this.#listeners.size > 0 ? watchedMs : restMs;
          this.#schedule(beatMs - (performance.now() % beatMs) + afterBeatMs);
        });
    }, ms);
    this.#timer.unref();
  }

  #used(): readonly Recogniser[] {
    const { ignore } = this.#o.settings();
    return (this.#o.recognisers ?? allRecognisers).filter((r) => !ignore.includes(r.key));
  }

  #newObserver(): Observer {
    const { control, foreign, self } = this.#o;
    return new Observer({ control, foreign, recognisers: this.#used(), ...(self === undefined ? {} : { self }) });
  }
}
