/** Talks to the host through Electron's preload bridge. */
import type {
  Bridge,
  ConsoleClient,
  EventName,
  EventPayload,
  Input,
  Method,
  OpenRequest,
  Output,
  Reply,
  Saved,
  SaveKind,
  TestNotification,
} from '../contract.ts';
import { unreachable, valueOf } from './call-error.ts';

export class BridgeClient implements ConsoleClient {
  readonly isDesktop = true;
  readonly #bridge: Bridge;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  async call<M extends Method>(method: M, input: Input<M>, signal?: AbortSignal): Promise<Output<M>> {
    const reply = await this.#bridge.call(method, input).catch(() => {
      throw unreachable();
    });
    signal?.throwIfAborted();
    return valueOf(reply as Reply<Output<M>>);
  }

  /** The bridge lives as long as the page; `onLost` is called when main cannot reach a host. */
  on<E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void, onLost?: () => void): () => void {
    const ends = [
      this.#bridge.on(event, (payload) => listener(payload as EventPayload<E>)),
      this.#bridge.on('offline', () => onLost?.()),
    ];
    return () => ends.forEach((end) => end());
  }

  async saveText(name: string, kind: SaveKind, text: Blob): Promise<Saved> {
    return this.#ask('window.saveText', { name, kind, text: await text.text() });
  }

  saveLog(ticket: string, stream: 'stdout' | 'stderr' | null): Promise<Saved> {
    return this.#ask('window.saveLog', { ticket, ...(stream === null ? {} : { stream }) });
  }

  saveEvidence(ticket: string, file: string): Promise<Saved> {
    return this.#ask('window.saveEvidence', { ticket, file });
  }

  testNotification(): Promise<TestNotification> {
    return this.#ask('window.testNotification', {});
  }

  async signIn(on?: boolean): Promise<boolean | null> {
    const { on: isOn } = await this.#ask<{ on: boolean | null }>('window.signIn', on === undefined ? {} : { on });
    return isOn;
  }

  async openFolder(): Promise<string> {
    const { text } = await this.#ask<{ text: string }>('window.openFolder', {});
    return text;
  }

  async #ask<T>(method: string, input: unknown): Promise<T> {
    const reply = await this.#bridge.call(method, input).catch(() => {
      throw unreachable();
    });
    return valueOf(reply as Reply<T>);
  }

  async openLogWindow(ticket: string): Promise<boolean> {
    const reply = await this.#bridge.call('window.openLog', { ticket }).catch(() => null);
    return reply?.ok === true;
  }

  onOpen(listener: (request: OpenRequest) => void): () => void {
    return this.#bridge.on('open', (request) => listener(request as OpenRequest));
  }
}
