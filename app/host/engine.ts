/**
 * The application as a tray or a console sees it: always there to be asked, also while it cannot be opened. Opening is retried,
 * because the tray or the console is what tells a person that nobody watches the scripts.
 */
import { unjam } from '../domain/script.ts';
import type { Application } from './application.ts';
import type { Dispatch } from '../contract/dispatcher.ts';
import type { Snapshot } from '../contract/methods.ts';

export type EngineState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'online'; readonly snapshot: Snapshot; readonly role: Application['role'] }
  | { readonly kind: 'offline'; readonly since: number; readonly why: string; readonly last: Snapshot | null };

const retryMs = [1_000, 2_000, 5_000, 15_000, 60_000] as const;
/** How often a client asks whether the host that it follows still lives; nothing else would tell it. */
const heartbeatMs = 5_000;
/** The journal gets this long to close; then the process ends anyway. */
const closeMs = 3_000;

export class Engine {
  readonly #open: () => Promise<Application>;
  readonly #log: (line: string) => void;
  readonly #listeners = new Set<(state: EngineState) => void>();
  #application: Application | null = null;
  #state: EngineState = { kind: 'starting' };
  #retries = 0;
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | null = null;

  constructor(open: () => Promise<Application>, log: (line: string) => void) {
    this.#open = open;
    this.#log = log;
  }

  get state(): EngineState {
    return this.#state;
  }

  get snapshot(): Snapshot | null {
    return this.#state.kind === 'online' ? this.#state.snapshot : null;
  }

  /** Calls `listener` now and with every later state; returns what ends it. */
  subscribe(listener: (state: EngineState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async start(): Promise<void> {
    try {
      const application = await this.#open();
      if (this.#closing !== null) return void (await application.close());
      this.#application = application;
      this.#retries = 0;
      const end = application.subscribe((snapshot) =>
        this.#become({ kind: 'online', snapshot, role: application.role }),
      );
      if (application.role === 'client') this.#follow(application, end);
      void application.lost.then((why) => this.#leave(application, end, why));
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Another process hosts. When it goes, its last snapshot would stay on screen as if it were true; so it is asked
   * regularly, and its end is a reason to try to become the host.
   */
  #follow(application: Application, end: () => void): void {
    this.#timer = setTimeout(() => {
      void application.dispatch('host.info', {}, { ...unjam, role: 'viewer' }).then(async (reply) => {
        if (this.#application !== application || this.#closing !== null) return;
        if (reply.ok || !['host-unreachable', 'host-timeout'].includes(reply.error.code)) {
          this.#follow(application, end);
          return;
        }
        await this.#leave(application, end, reply.error.message);
      });
    }, heartbeatMs);
  }

  async #leave(application: Application, end: () => void, why: string): Promise<void> {
    if (this.#application !== application || this.#closing !== null) return; // it has been left already
    clearTimeout(this.#timer);
    end();
    this.#application = null;
    await application.close().catch(() => undefined);
    this.#lost(why);
  }

  #lost(why: string): void {
    this.#log(`Cannot reach the host: ${why}`);
    const last = this.#state.kind === 'offline' ? this.#state.last : this.snapshot;
    const since = this.#state.kind === 'offline' ? this.#state.since : Date.now();
    this.#become({ kind: 'offline', since, why, last });
    if (this.#closing !== null) return;
    this.#timer = setTimeout(() => void this.start(), retryMs[Math.min(this.#retries++, retryMs.length - 1)]);
  }

  readonly dispatch: Dispatch = async (method, input, caller) => {
    if (this.#application !== null && this.#closing === null) return this.#application.dispatch(method, input, caller);
    return {
      ok: false,
      error: {
        code: 'host-unreachable',
        message:
          this.#state.kind === 'offline' ? `The host is not running: ${this.#state.why}` : 'The host is starting.',
        next: 'Unjam keeps trying. Running scripts keep running.',
      },
    };
  };

  power(what: 'suspend' | 'resume'): void {
    this.#application?.power(what);
  }

  /** Never takes longer than 3 s and never throws: whoever waits for it is about to end. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    const closed = this.#application?.close().catch((error: unknown) => this.#log(`Closing failed: ${String(error)}`));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([closed, new Promise<void>((resolve) => (timer = setTimeout(resolve, closeMs)))]);
    clearTimeout(timer);
  }

  #become(state: EngineState): void {
    if (this.#closing !== null) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
