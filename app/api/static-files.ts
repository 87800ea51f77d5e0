/** The files of the built console, for the page in Electron and in a browser: which may be read, as what, under which headers. */
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { contentSecurityPolicy } from './csp.ts';

export const htmlType = 'text/html; charset=utf-8';
export const scriptType = 'text/javascript; charset=utf-8';

/** What the build emits; a file of another kind is not served even when it lies there. */
const contentTypes: Readonly<Record<string, string>> = {
  '.html': htmlType,
  '.js': scriptType,
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** Of every answer, also of a refusal. */
export const pageHeaders = (host: 'electron' | 'browser'): Readonly<Record<string, string>> => ({
  'content-security-policy': contentSecurityPolicy(host),
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
});

/** Null for whatever is not a file of the console that can be read. */
export async function consoleFile(
  root: string,
  pathname: string,
): Promise<{ readonly type: string; readonly content: Uint8Array<ArrayBuffer> } | null> {
  const path = pathInside(pathname);
  const type = path === null ? undefined : contentTypes[extname(path)];
  if (path === null || type === undefined) return null;
  try {
    return { type, content: new Uint8Array(await readFile(join(root, path))) };
  } catch {
    return null;
  }
}

/**
 * The path inside the console's folder. Only plain segments pass, so that nothing needs to be normalised:
 * no `..`, no dot files, no backslash, no colon (drive letters, NTFS streams), no percent-encoding.
 */
function pathInside(pathname: string): string | null {
  const segments = (pathname === '/' ? '/index.html' : pathname).slice(1).split('/');
  return segments.every((segment) => /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(segment)) ? segments.join('/') : null;
}
