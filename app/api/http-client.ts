/** The contract's client over the host's socket: for the CLI, for tests, and for a second window on one state directory. */
import { Agent, type AgentOptions, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { UnjamError } from '../contract/errors.ts';
import type { Client, EventName, EventPayload, Input, Method, Output, Reply } from '../contract/methods.ts';
import { contractProtocol, versionHeader } from '../contract/protocol.ts';
import type { Actor } from '../domain/script.ts';

export interface ClientOptions {
  readonly address: string;
  /** Null where the system's word about the caller is enough. */
  readonly token: string | null;
  /** Looks at a connection before anything is sent: why not to talk to who serves it, or null. */
  readonly distrust?: () => string | null;
  readonly actor: Actor;
  /** A host of this version has checked its answers with the same schemas: they are not loaded for it, which takes 0.1 s. */
  readonly version?: string;
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

  /** @throws UnjamError, also for `host-unreachable`, `host-timeout` and `version-mismatch` */
  async call<M extends Method>(method: M, input: Input<M>): Promise<Output<M>> {
    const reply = await this.send(method, input);
    if (reply.ok) return reply.value as Output<M>;
    throw UnjamError.from(reply.error);
  }

  /** As `call`, with the errors of the host as values, in the name of `actor`. @throws UnjamError when there is no answer */
  async send(method: string, input: unknown, actor = this.#o.actor): Promise<Reply> {
    const body = JSON.stringify(input ?? {});
    const wait = (input as { waitMs?: number } | undefined)?.waitMs ?? 0;
    const response = await this.#request('POST', `/rpc/${method}`, body, this.#o.timeoutMs + wait, actor);
    let text = '';
    try {
      for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    } catch (error) {
      throw noAnswer(this.#o.address, error);
    }
    if (response.headers[versionHeader] === (this.#o.version ?? null)) {
      const reply = wholeJson(text);
      if (reply !== null) return reply as Reply;
    }
    const { readAnswer } = await import('./answer.ts');
    return readAnswer(method, text);
  }

  /** `onLost` is told why: the connection broke, or what came was not an event. */
  on<E extends EventName>(
    event: E,
    listener: (payload: EventPayload<E>) => void,
    onLost: (why: string) => void = () => undefined,
  ): () => void {
    let stopped = false;
    let response: IncomingMessage | null = null;
    const stop = (): void => {
      stopped = true;
      response?.destroy();
    };
    const lost = (why: string): void => {
      if (stopped) return;
      stop();
      onLost(why);
    };
    const follow = async (): Promise<void> => {
      response = await this.#request('GET', '/events', '', 0);
      if (stopped) return stop();
      const broken = (): void => lost('The connection to the host broke.');
      response.on('close', broken);
      response.on('error', broken);
      const { readEvent } = await import('./answer.ts');
      let name = '';
      let rest = '';
      // Not by readline: it takes U+2028 in somebody's name for the end of a line.
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = `${rest}${chunk}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line.startsWith('event: ')) name = line.slice(7);
          if (stopped || name !== event || !line.startsWith('data: ')) continue;
          const payload = readEvent(event, line.slice(6));
          if (payload instanceof UnjamError) lost(payload.message);
          else listener(payload);
        }
      });
    };
    follow().catch((error: unknown) => lost(noAnswer(this.#o.address, error).message));
    return stop;
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
              'Scripts keep running without it. Look at its process: it may be suspended or overloaded.',
            ),
          ),
        );
      request.on('error', (error) => reject(noAnswer(this.#o.address, error)));
      request.end(body);
    });
  }
}

/** Connects, looks who is there, and only then lets a request go out. */
class CheckedAgent extends Agent {
  readonly #o: Pick<ClientOptions, 'address' | 'distrust'>;

  constructor(options: Pick<ClientOptions, 'address' | 'distrust'>, agent: AgentOptions) {
    // Without a name for TLS Node asks whether the host header is an IPv6 address, which takes 14 ms of CPU.
    const noName = { servername: '' };
    super({ ...agent, ...noName });
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

/** Null when it is none. */
function wholeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Why no answer came. Only `host-unreachable` lets a command start a host. */
export function noAnswer(address: string, error: unknown): UnjamError {
  if (error instanceof UnjamError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  // A living host that does not let the caller in is not an absent one.
  if (['EACCES', 'EPERM'].includes(code))
    return new UnjamError(
      'unauthorized',
      `The host at "${address}" does not let you in: ${message}.`,
      'Ask an owner of it for a role: unjam access grant <account> operator.',
    );
  return new UnjamError('host-unreachable', `The host is not reachable: ${message}.`, 'Start one with "unjam serve".');
}
