/** Receivers of alerts on this machine: webhooks with a certificate made for the test, and an SMTP server. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createPlain, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';

export interface Certificate {
  /** Path of the PEM file. */
  readonly file: string;
  readonly cert: string;
  readonly key: string;
}

/** For localhost, good for a day; trusted by nobody who is not told. */
export function makeCertificate(folder: string): Certificate {
  const [file, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', file]; // prettier-ignore
  execFileSync('openssl', words, { stdio: 'pipe' });
  return { file, cert: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

async function listening(server: Server): Promise<number> {
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Takes what comes and answers as `answer` says; with a certificate over TLS. */
export class WebhookServer implements AsyncDisposable {
  readonly got: Received[] = [];
  readonly #server: ReturnType<typeof createPlain> | ReturnType<typeof createSecure>;
  readonly #scheme: string;
  #port = 0;

  private constructor(answer: RequestListener, certificate?: Certificate) {
    const take: RequestListener = (request, response) => {
      void text(request).then((body) => {
        this.got.push({ headers: request.headers, body });
        answer(request, response);
      });
    };
    this.#scheme = certificate === undefined ? 'http' : 'https';
    this.#server = certificate === undefined ? createPlain(take) : createSecure(certificate, take);
  }

  static async open(answer: RequestListener, certificate?: Certificate): Promise<WebhookServer> {
    const server = new WebhookServer(answer, certificate);
    server.#port = await listening(server.#server);
    return server;
  }

  get url(): string {
    return `${this.#scheme}://localhost:${this.#port}/hook/T0-secret`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export interface Mail {
  readonly isSecure: boolean;
  readonly login: string | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly data: string;
}

interface SmtpOptions {
  readonly certificate?: Certificate;
  /** Offers no STARTTLS. */
  readonly isPlain?: boolean;
  /** The whole answer to a recipient; `250 ok` when absent. */
  readonly recipient?: string;
  /** Takes the connection and says nothing. */
  readonly isSilent?: boolean;
}

/** As much of RFC 5321 as a client with STARTTLS and AUTH PLAIN asks for. */
export class SmtpServer implements AsyncDisposable {
  readonly got: Mail[] = [];
  port = 0;
  readonly #o: SmtpOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: SmtpOptions) {
    this.#o = options;
    this.#server = createTcp((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
      if (options.isSilent) return;
      socket.write('220 test ESMTP\r\n');
      this.#talk(socket, false);
    });
  }

  static async open(options: SmtpOptions = {}): Promise<SmtpServer> {
    const server = new SmtpServer(options);
    server.port = await listening(server.#server);
    return server;
  }

  #talk(socket: Socket, isSecure: boolean): void {
    const { certificate, isPlain, recipient = '250 ok' } = this.#o;
    let rest = '';
    let mail = { isSecure, login: null as string | null, from: '', to: [] as string[], data: '' };
    let isData = false;
    const say = (...lines: string[]): void => void socket.write(lines.map((line) => `${line}\r\n`).join(''));
    const onLine = (line: string): void => {
      if (isData) {
        if (line !== '.') mail.data += `${line.replace(/^\./, '')}\n`;
        else {
          isData = false;
          this.got.push(mail);
          mail = { ...mail, to: [], data: '' };
          say('250 taken');
        }
        return;
      }
      const [, verb = '', words = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
      switch (verb.toUpperCase()) {
        case 'EHLO':
          say('250-test', ...(isSecure || isPlain ? [] : ['250-STARTTLS']), ...(isSecure ? ['250-AUTH PLAIN'] : []), '250 8BITMIME'); // prettier-ignore
          return;
        case 'STARTTLS': {
          if (isPlain) return say('502 not implemented');
          say('220 go on');
          socket.removeAllListeners('data');
          const secure = new TLSSocket(socket, { isServer: true, cert: certificate?.cert, key: certificate?.key });
          secure.on('error', () => undefined);
          this.#talk(secure, true);
          return;
        }
        case 'AUTH':
          mail.login = Buffer.from(words.split(' ')[1] ?? '', 'base64')
            .toString()
            .replaceAll('\0', ' ')
            .trim();
          say('235 welcome');
          return;
        case 'MAIL':
          mail.from = /<(.*?)>/.exec(words)?.[1] ?? '';
          say('250 ok');
          return;
        case 'RCPT':
          mail.to.push(/<(.*?)>/.exec(words)?.[1] ?? '');
          say(recipient);
          return;
        case 'DATA':
          isData = true;
          say('354 go on');
          return;
        case 'QUIT':
          say('221 bye');
          socket.end();
          return;
        default:
          say('250 ok');
      }
    };
    socket.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('latin1')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
