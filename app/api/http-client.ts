/** The contract's client over the host's socket: for the CLI, for tests, and for a second window on one state directory. */
import { Agent, type AgentOptions, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { UnjamError } from '../contract/errors.ts';
import type { Client, EventName, EventPayload, Input, Method, Output, Reply } from '../contract/methods.ts';
import { contractProtocol } from '../contract/protocol.ts';
import type { Actor } from '../domain/script.ts';

export interface ClientOptions {
  readonly address: string;
  /** Null where the system's word about the caller is enough. */
  readonly token: string | null;
  /** Looks at a connection before anything is sent: why not to talk to who serves it, or null. */
  readonly distrust?: () => string | null;
  readonly actor: Actor;
  /** How long a call may take before the host counts as not answering, ms; long polls add their own wait. */
  readonly timeoutMs: number;
}

/** Without a protocol, every version answers: an upgrade must be able to ask who is there, and for room. */
const forEveryProtocol: ReadonlySet<string> = new Set(['/rpc/host.info', '/rpc/host.retire']);

export class HttpClient implements Client {
  readonly #o: ClientOptions;
  readonly #agent: Agent;
  readonly #once: Agent;

  constructor(options: ClientOptions) {
    this.#o = options;
    this.#agent = new CheckedAgent(options, { keepAlive: true });
    this.#once = new CheckedAgent(options, {});
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
    this.#once.destroy();
  }

  #request(
    method: string,
    path: string,
    body: string,
    timeoutMs: number,
    actor = this.#o.actor,
  ): Promise<IncomingMessage> {
    const { token } = this.#o;
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          method,
          path,
          agent: path === '/events' ? this.#once : this.#agent,
          headers: {
            host: 'unjam',
            ...(token === null ? {} : { authorization: `Bearer ${token}` }),
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
            : isRefusal(error)
              ? refused(this.#o.address, error)
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

/** Connects, looks who is there, and only then lets a request go out. */
class CheckedAgent extends Agent {
  readonly #o: Pick<ClientOptions, 'address' | 'distrust'>;

  constructor(options: Pick<ClientOptions, 'address' | 'distrust'>, agent: AgentOptions) {
    super(agent);
    this.#o = options;
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, socket: Socket) => void): undefined {
    const { address, distrust } = this.#o;
    const socket = connect(address);
    const failed = (error: Error): void => callback?.(error, socket);
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      const why = distrust?.() ?? null;
      if (why === null) {
        callback?.(null, socket);
        return;
      }
      socket.destroy();
      failed(
        new UnjamError(
          'unauthorized',
          `The host at "${address}" is not talked to: ${why}. Nothing was sent.`,
          'Ask an administrator of this machine who opened that address.',
        ),
      );
    });
  }
}

/** A living host that does not let the caller in is not an absent one. */
const isRefusal = (error: Error): boolean => ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');

const refused = (address: string, error: Error): UnjamError =>
  new UnjamError(
    'unauthorized',
    `The host at "${address}" does not let you in: ${error.message}.`,
    'Ask an owner of it for a role: unjam access grant <account> operator.',
  );
