/**
 * `app://ui` serves the built console and nothing else. `protocol.handle` and not the faster, experimental
 * `protocol.registerSource`: what a request may read is then decided by code that plain Node can test.
 */
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { CustomScheme, Protocol } from 'electron';
import { contentSecurityPolicy } from '../../app/api/csp.ts';

export const consoleOrigin = 'app://ui';
export const consoleUrl = `${consoleOrigin}/index.html`;

/** To be registered before `ready`. No `bypassCSP`, no CORS, no service workers, no extensions. */
export const consoleScheme: CustomScheme = {
  scheme: 'app',
  privileges: { standard: true, secure: true, codeCache: true },
};

/** What the build emits; a file of another kind is not served even when it lies there. */
const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

const headers: Readonly<Record<string, string>> = {
  // The page has no network at all: it talks to the application over IPC only.
  'Content-Security-Policy': contentSecurityPolicy('electron'),
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

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
  const file = request.method === 'GET' || request.method === 'HEAD' ? fileOf(request.url) : null;
  const type = file === null ? undefined : contentTypes[extname(file)];
  if (file === null || type === undefined) return notFound();
  try {
    const body = new Uint8Array(await readFile(join(root, file)));
    return new Response(request.method === 'HEAD' ? null : body, { headers: { ...headers, 'Content-Type': type } });
  } catch {
    return notFound();
  }
}

function notFound(): Response {
  return new Response(null, { status: 404, headers: { ...headers } });
}

/**
 * The path inside the console's folder, or null. Only plain segments pass, so that nothing needs to be normalised:
 * no `..`, no dot files, no backslash, no colon (drive letters, NTFS streams), no percent-encoding.
 */
function fileOf(url: string): string | null {
  if (!isConsoleUrl(url)) return null;
  const path = new URL(url).pathname;
  const segments = (path === '/' ? '/index.html' : path).slice(1).split('/');
  return segments.every((segment) => /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(segment)) ? segments.join('/') : null;
}
