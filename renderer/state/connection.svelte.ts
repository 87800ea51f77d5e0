/** The newest snapshot, and whether it can be trusted: starting, connected or offline. */
import type { ConsoleClient, HostInfo, Snapshot } from '../contract.ts';
import { toCallError, type CallError } from '../transport/call-error.ts';
import { nowIso } from '../words/times.ts';

export type ConnectionState =
  { readonly kind: 'starting' } | { readonly kind: 'connected' } | { readonly kind: 'offline'; readonly since: string };

/** A host that does not answer at all within this time is told about; it may still come. */
const startPatienceMs = 5_000;

const meetAgainMs = 60_000;

export interface ConnectionListener {
  readonly onSnapshot: (snapshot: Snapshot) => void;
  /** A host answers for the first time, or again. */
  readonly onMeet: () => void;
}

export class Connection {
  state = $state.raw<ConnectionState>({ kind: 'starting' });
  snapshot = $state.raw<Snapshot | null>(null);
  host = $state.raw<HostInfo | null>(null);
  /** Why the host refuses to talk to this page at all. */
  refusal = $state.raw<CallError | null>(null);
  slowStart = $state(false);

  readonly #client: ConsoleClient;
  readonly #listener: ConnectionListener;
  #metAt = -Infinity;

  constructor(client: ConsoleClient, listener: ConnectionListener) {
    this.#client = client;
    this.#listener = listener;
  }

  get isLive(): boolean {
    return this.state.kind === 'connected';
  }

  start(): () => void {
    const patience = setTimeout(() => (this.slowStart = true), startPatienceMs);
    const end = this.#client.on(
      'snapshot',
      (snapshot) => this.#accept(snapshot),
      () => this.#lost(),
    );
    return () => {
      clearTimeout(patience);
      end();
    };
  }

  /** F5: asks for everything again. */
  async refresh(): Promise<void> {
    void this.#meet();
    try {
      this.#accept(await this.#client.call('overview.get', {}));
    } catch (error) {
      this.#failed(toCallError(error));
    }
  }

  #accept(snapshot: Snapshot): void {
    const wasAway = this.state.kind !== 'connected';
    this.snapshot = snapshot;
    this.refusal = null;
    if (wasAway) {
      this.state = { kind: 'connected' };
      void this.#meet();
      this.#listener.onMeet();
    }
    // What it says of itself may change: warnings, roles, a program that was replaced.
    else if (performance.now() - this.#metAt > meetAgainMs) void this.#meet();
    this.#listener.onSnapshot(snapshot);
  }

  #lost(): void {
    if (this.state.kind !== 'offline') this.state = { kind: 'offline', since: this.snapshot?.at ?? nowIso() };
    // A broken stream says nothing about the reason; a call does.
    void this.#meet();
  }

  async #meet(): Promise<void> {
    this.#metAt = performance.now();
    try {
      this.host = await this.#client.call('host.info', {});
    } catch (error) {
      this.#failed(toCallError(error));
    }
  }

  #failed(error: CallError): void {
    if (error.code === 'unauthorized' || error.code === 'version-mismatch') this.refusal = error;
    if (error.code === 'host-unreachable' && this.state.kind === 'connected') this.#markOffline();
  }

  #markOffline(): void {
    this.state = { kind: 'offline', since: this.snapshot?.at ?? nowIso() };
  }
}
