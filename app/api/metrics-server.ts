/**
 * The numbers of the host for a monitoring system that reads no socket: `GET /metrics` on a loopback port, where the
 * setting `metricsPort` names one. Every account of the machine can read it, so nothing else is here.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pathOf, requestBounds } from './http-server.ts';
import { answerMetrics } from './metrics-answer.ts';

/** Who asks more often gets the same numbers again: nobody can keep the host busy, ms. */
const freshMs = 1_000;
const connectionsMax = 16;

export interface MetricsServerOptions {
  /** The text of `metrics.get`. */
  readonly text: () => Promise<string>;
  readonly log: (line: string) => void;
}

export class MetricsServer {
  readonly #o: MetricsServerOptions;
  #server: Server | null = null;
  #port = 0;
  #last: { readonly at: number; readonly text: Promise<string> } | null = null;
  #turn: Promise<void> = Promise.resolve();
  /** Why the port cannot be used; each reason is said once. */
  #problem: string | null = null;

  constructor(options: MetricsServerOptions) {
    this.#o = options;
  }

  /** Listens on `port` of the loopback alone; 0 = on none. A port that another program has is tried again by the next call. */
  use(port: number): Promise<void> {
    this.#turn = this.#turn.then(() => this.#use(port));
    return this.#turn;
  }

  close(): Promise<void> {
    return this.use(0);
  }

  async #use(port: number): Promise<void> {
    if (this.#server !== null && port === this.#port) return;
    const before = this.#server;
    this.#server = null;
    before?.closeAllConnections();
    if (before !== null) await new Promise<void>((resolve) => before.close(() => resolve()));
    if (port === 0) return;
    const server = createServer(requestBounds, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    server.maxConnections = connectionsMax;
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
      this.#server = server;
      this.#port = port;
      this.#problem = null;
      server.on('error', (error) => this.#say(error.message));
    } catch (error) {
      this.#say((error as Error).message);
    }
  }

  #say(problem: string): void {
    if (problem !== this.#problem)
      this.#o.log(`W391 The numbers of this host cannot be read on the port of the setting metricsPort: ${problem}.`);
    this.#problem = problem;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A page in a browser of this machine reaches the port under a name of its own (DNS rebinding).
    if (![`127.0.0.1:${this.#port}`, `localhost:${this.#port}`].includes(request.headers.host ?? ''))
      response.writeHead(421).end('Misdirected request\n');
    else if (pathOf(request)?.pathname !== '/metrics') response.writeHead(404).end('Not found\n');
    else if (request.method !== 'GET') response.writeHead(405, { allow: 'GET' }).end('Method not allowed\n');
    else {
      if (this.#last === null || performance.now() - this.#last.at >= freshMs)
        this.#last = { at: performance.now(), text: this.#o.text() };
      answerMetrics(request, response, await this.#last.text);
    }
  }
}
