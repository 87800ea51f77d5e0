/** What every answer of a door must be, whatever was asked. */
import { errorCodes } from '../../app/contract/errors.ts';
import { methods, type Method } from '../../app/contract/methods.ts';
import { windowMethods, type WindowMethod } from '../../app/contract/window.ts';
import type { Request } from './fuzz-requests.ts';

/** The bridge has those of the windows as well. */
const all = { ...methods, ...windowMethods };
const isMethod = (name: string): name is Method | WindowMethod => Object.hasOwn(all, name);

/** Null for a reply that the contract knows; else what is wrong with it. */
export function wrongReply(method: string, reply: unknown): string | null {
  if (typeof reply !== 'object' || reply === null || !('ok' in reply)) return 'no reply of the contract';
  if (reply.ok === true) {
    if (!isMethod(method)) return 'a value of a method that there is not';
    const parsed = all[method].output.safeParse('value' in reply ? reply.value : undefined);
    return parsed.success ? null : `the value is not of the contract: ${parsed.error.message}`;
  }
  const error = 'error' in reply ? reply.error : null;
  if (typeof error !== 'object' || error === null) return 'a refusal without its error';
  const { code, message, next, ...more } = error as Record<string, unknown>;
  if (typeof code !== 'string' || !Object.hasOwn(errorCodes, code) || code === 'internal')
    return `code ${String(code)}`;
  if (typeof message !== 'string' || message === '' || typeof next !== 'string' || next === '') return 'no sentence';
  if (/\n {4}at |node:internal/.test(message)) return 'a stack';
  const strange = Object.keys(more).filter((key) => key !== 'field');
  return strange.length === 0 ? null : `fields ${strange.join(', ')}`;
}

const texts = [400, 401, 403, 404, 408, 413, 417, 421, 429, 431];

/** Null for an answer as it must be; else what is wrong with it. */
export function wrongAnswer(request: Request, answer: string): string | null {
  if (answer === '') return request.wellFormed ? 'hung up' : null;
  if (!request.wellFormed) {
    // Several answers may have come, and Node’s own among them.
    return /^HTTP\/1\.1 \d{3} /.test(answer) && !/"code":"internal"|\n {4}at /.test(answer) ? null : 'no HTTP';
  }
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0);
  if (request.verb === 'HEAD') return status > 0 ? null : 'no HTTP';
  if (!/^content-type: application\/json/im.test(head)) {
    if (/\n {4}at /.test(body)) return 'a stack';
    return status === 200 || texts.includes(status) ? null : `status ${status}`;
  }
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (Number(length) !== Buffer.byteLength(body, 'latin1')) return 'not as long as it says';
  const value = JSON.parse(Buffer.from(body, 'latin1').toString()) as unknown;
  if (/^\/openapi\.json/.test(request.path) && status === 200) return null;
  const isOk = typeof value === 'object' && value !== null && 'ok' in value && value.ok === true;
  if (isOk !== (status === 200)) return `status ${status} for ${isOk ? 'a value' : 'a refusal'}`;
  return wrongReply(methodOf(request.path), value);
}

function methodOf(path: string): string {
  const pathname = URL.parse(path, 'http://unjam')?.pathname ?? '';
  try {
    return decodeURIComponent(pathname.slice('/rpc/'.length));
  } catch {
    return '';
  }
}
