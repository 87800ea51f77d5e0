/**
 * `app://ui` serves the built console and nothing else. `protocol.handle` and not the faster, experimental
 * `protocol.registerSource`: what a request may read is then decided by code that plain Node can test.
 */
import type { CustomScheme, Protocol } from 'electron';
import { consoleFile, pageHeaders } from '../../app/api/static-files.ts';

export const consoleOrigin = 'app://ui';
export const consoleUrl = `${consoleOrigin}/index.html`;

/** To be registered before `ready`. No `bypassCSP`, no CORS, no service workers, no extensions. */
export const consoleScheme: CustomScheme = {
  scheme: 'app',
  privileges: { standard: true, secure: true, codeCache: true },
};

/** The page has no network at all: it talks to the application over IPC only. */
const headers = pageHeaders('electron');

export function isConsoleUrl(url: string): boolean {
  const parsed = URL.parse(url);
  return (
    parsed !== null &&
    parsed.protocol === 'app:' &&
    parsed.host === 'ui' &&
    parsed.username === '' &&
    parsed.password === ''
  );
}

export function serveConsole(protocol: Pick<Protocol, 'handle'>, root: string): void {
  protocol.handle('app', (request) => answer(root, request));
}

/** Never throws: a request that is not for a file of the console is answered with 404. */
export async function answer(root: string, request: Pick<Request, 'method' | 'url'>): Promise<Response> {
  const mayRead = (request.method === 'GET' || request.method === 'HEAD') && isConsoleUrl(request.url);
  const file = mayRead ? await consoleFile(root, new URL(request.url).pathname) : null;
  if (file === null) return new Response(null, { status: 404, headers });
  const body = request.method === 'HEAD' ? null : file.content;
  return new Response(body, { headers: { ...headers, 'content-type': file.type } });
}
