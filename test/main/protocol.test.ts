/** `app://ui` gives the page its own files and nothing else of the disk. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentSecurityPolicy as policyOf } from '../../app/api/csp.ts';
import { answer, consoleScheme, consoleUrl, isConsoleUrl } from '../../main/page/protocol.ts';

const contentSecurityPolicy = policyOf('electron');

let folder: string;
let root: string;
const get = (url: string, method = 'GET') => answer(root, { url, method });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-protocol-'));
  root = join(folder, 'renderer');
  mkdirSync(join(root, 'assets'), { recursive: true });
  writeFileSync(join(root, 'index.html'), '<!doctype html>');
  writeFileSync(join(root, 'assets', 'index-Dk3_x.js'), 'export {}');
  writeFileSync(join(root, 'notes.txt'), 'SECRET');
  writeFileSync(join(root, '.env'), 'SECRET');
  writeFileSync(join(folder, 'outside.js'), 'SECRET');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the console is served', () => {
  test('with its page, its script and their types', async () => {
    const page = await get(consoleUrl);
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
      200,
      'text/html; charset=utf-8',
      '<!doctype html>',
    ]);
    const code = await get('app://ui/assets/index-Dk3_x.js');
    expect([code.status, code.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
    expect(await (await get('app://ui/')).text()).toBe('<!doctype html>');
  });

  test('under the content security policy, also when the answer is 404', async () => {
    for (const url of [consoleUrl, 'app://ui/missing.js']) {
      const { headers } = await get(url);
      expect(headers.get('content-security-policy')).toBe(contentSecurityPolicy);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('without its body to HEAD', async () => {
    const head = await get(consoleUrl, 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});

describe('nothing else of the disk can be read', () => {
  test.each([
    'app://ui/../outside.js',
    'app://ui/..%2foutside.js',
    'app://ui/%2e%2e/outside.js',
    'app://ui/assets/../../outside.js',
    'app://ui/..\\outside.js',
    'app://ui/%5c..%5coutside.js',
    'app://ui//outside.js',
    'app://ui/C:/Windows/win.ini',
    'app://ui/index.html::$DATA',
    'app://ui/index.html.',
    'app://ui/index.html%00.js',
    'app://ui/.env',
    'app://ui/notes.txt',
    'app://ui/assets',
    'app://ui/assets/',
    'app://other/index.html',
    'app://ui:8080/index.html',
    'app://user@ui/index.html',
    'file:///etc/passwd',
    'https://ui/index.html',
    'not a url',
  ])('%s', async (url) => {
    const reply = await get(url);
    expect([reply.status, await reply.text()]).toEqual([404, '']);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('with %s', async (method) => {
    expect((await get(consoleUrl, method)).status).toBe(404);
  });

  test('whatever the path is made of', { timeout: 30_000 }, async () => {
    const piece = fc.constantFrom(
      '..',
      '.',
      '%2e%2e',
      '%2E',
      '/',
      '\\',
      '%5c',
      '%2f',
      'outside.js',
      'assets',
      ':',
      '%00',
      '..;',
      '…',
      ' ',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        expect(await (await get(`app://ui/${pieces.join('')}`)).text()).not.toContain('SECRET');
      }),
      { numRuns: 500 },
    );
  });
});

test('only app://ui counts as the console', () => {
  expect(isConsoleUrl(consoleUrl)).toBe(true);
  for (const url of [
    '',
    'about:blank',
    'app://ui.evil/',
    'app://evil/ui',
    'https://ui/',
    'app:ui',
    'data:text/html,app://ui/',
    'blob:app://ui/1',
  ])
    expect([url, isConsoleUrl(url)]).toEqual([url, false]);
});

test('the scheme cannot get around the policy or across origins', () => {
  expect(consoleScheme.privileges).toEqual({ standard: true, secure: true, codeCache: true });
});

test('the policy allows no network, no inline code and no HTML but Svelte’s', () => {
  const rules = new Map(
    contentSecurityPolicy.split('; ').map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1).join(' ')]),
  );
  expect(rules.get('default-src')).toBe("'none'");
  expect(rules.get('connect-src')).toBe("'none'");
  expect(rules.get('script-src')).toBe("'self'");
  expect(rules.get('require-trusted-types-for')).toBe("'script'");
  expect(rules.get('trusted-types')).toBe('svelte-trusted-html');
  expect(contentSecurityPolicy).not.toMatch(/unsafe-|https?:|\*/);
});
