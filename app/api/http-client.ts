/** The contract's client over the host's socket: for the CLI, for tests, and for a second window on one state directory. */
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { UnjamError } from '../contract/errors.ts';
import type { Client, EventName, EventPayload, Input, Method, Output, Reply } from '../contract/methods.ts';
import { contractProtocol } from '../contract/protocol.ts';
import type { Actor } from '../domain/script.ts';

export interface ClientOptions {
  readonly address: string;
  readonly token: string;
  readonly actor: Actor;
  /** How long a call may take before the host counts as not answering, ms; long polls add their own wait. */
  readonly timeoutMs: number;
}

/** Without a protocol, every version answers: an upgrade must be able to ask who is there, and for room. */
const forEveryProtocol: ReadonlySet<string> = new Set(['/rpc/host.info', '/rpc/host.retire']);

export class HttpClient implements Client {
  readonly #o: ClientOptions;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(options: ClientOptions) {
    this.#o = options;
  }

  /** @throws UnjamError, also for `host-unreachable` and `host-timeout` */
  async call<M extends Method>(method: M, input: Input<M>): Promise<Output<M>> {
    const reply = await this.send(method, input);
    if (reply.ok) return reply.value as Output<M>;
    throw UnjamError.from(reply.error);
  }

  /** As `call`, with errors as values, in the name of `actor`. Only a broken connection throws. */
  async send(method: string, input: unknown, actor = this.#o.actor): Promise<Reply> {
    const body = JSON.stringify(input ?? {});
    const wait = (input as { waitMs?: number } | undefined)?.waitMs ?? 0;
    const response = await this.#request('POST', `/rpc/${method}`, body, this.#o.timeoutMs + wait, actor);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    return JSON.parse(text) as Reply;
  }

  on<E extends EventName>(
    event: E,
    listener: (payload: EventPayload<E>) => void,
    onLost: () => void = () => undefined,
  ): () => void {
    let stopped = false;
    let response: IncomingMessage | null = null;
    const lost = (): void => {
      if (!stopped) onLost();
      stopped = true;
    };
    this.#request('GET', '/events', '', 0).then((r) => {
      response = r;
      if (stopped) {
        r.destroy();
        return;
      }
      let name = '';
      const lines = createInterface({ input: r });
      lines.on('error', lost); // it repeats the errors of its input
      lines.on('line', (line) => {
        if (line.startsWith('event: ')) name = line.slice(7);
        else if (line.startsWith('data: ') && name === event && !stopped)
          listener(JSON.parse(line.slice(6)) as EventPayload<E>);
      });
      r.on('close', lost);
      r.on('error', lost);
    }, lost);
    return () => {
      stopped = true;
      response?.destroy();
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  #request(
    method: string,
    path: string,
    body: string,
    timeoutMs: number,
    actor = this.#o.actor,
  ): Promise<IncomingMessage> {
    const { address, token } = this.#o;
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          socketPath: address,
          method,
          path,
          agent: path === '/events' ? false : this.#agent,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            ...(forEveryProtocol.has(path) ? {} : { 'x-unjam-protocol': String(contractProtocol) }),
            'x-unjam-via': actor.via,
            'x-unjam-user': encodeURIComponent(actor.user),
          },
        },
        resolve,
      );
      if (timeoutMs > 0)
        request.setTimeout(timeoutMs, () =>
          request.destroy(
            new UnjamError(
              'host-timeout',
              `The host did not answer within ${timeoutMs / 1000} s.`,
              'Scripts go on without it. Look at its process: it may be suspended or overloaded.',
            ),
          ),
        );
      request.on('error', (error) =>
        reject(
          error instanceof UnjamError
            ? error
            : new UnjamError(
                'host-unreachable',
                `The host is not reachable: ${error.message}.`,
                'Start one with "unjam serve".',
              ),
        ),
      );
      request.end(body);
    });
  }
}
