/** Posts JSON to an address. Nothing else of the network is touched: no redirect is followed, no proxy is asked. */
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { rootCertificates } from 'node:tls';

const boundMs = 10_000;

export interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates (PEM) that are trusted beside the well-known ones. */
  readonly ca?: string;
  /** How long the whole exchange may take, ms. */
  readonly boundMs?: number;
}

/** Null for an answer of 2xx, else why not; the reason does not name the address, which may be a secret. */
export function post(address: string, body: string, options: PostOptions = {}): Promise<string | null> {
  const { headers, ca, boundMs: within = boundMs } = options;
  const signal = AbortSignal.timeout(within);
  return new Promise((resolve) => {
    const send = new URL(address).protocol === 'https:' ? requestSecure : requestPlain;
    const sent = send(
      address,
      {
        method: 'POST',
        agent: false,
        signal,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
        ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
      },
      (answer) => {
        answer.on('error', () => undefined).resume();
        const status = answer.statusCode ?? 0;
        sent.destroy();
        if (status >= 200 && status < 300) resolve(null);
        else if (status >= 300 && status < 400) resolve(`answered ${status}, and redirects are not followed`);
        else resolve(`answered ${status}`);
      },
    );
    sent.on('error', (error) =>
      resolve(signal.aborted ? `did not answer within ${within / 1_000} s` : error.message || error.name),
    );
    sent.end(body);
  });
}
