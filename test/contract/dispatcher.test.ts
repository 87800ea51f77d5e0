/** Every call is checked on its way in and out, and every error says which field, and what to do. */
import { describe, expect, test } from 'vitest';
import { createDispatcher, type Handlers, isMethod } from '../../app/contract/dispatcher.ts';
import { errorCodes, UnjamError } from '../../app/contract/errors.ts';
import { methods } from '../../app/contract/methods.ts';
import { kim } from '../support/fake-domain.ts';

function dispatcher(handlers: Partial<Handlers> = {}) {
  const bugs: [string, unknown][] = [];
  const called: [string, unknown][] = [];
  const all = Object.fromEntries(
    Object.keys(methods).map((m) => [
      m,
      (input: unknown) => (called.push([m, input]), { removed: true, warning: null }),
    ]),
  ) as unknown as Handlers;
  const dispatch = createDispatcher({ ...all, ...handlers }, (method, error) => bugs.push([method, error]));
  const ask = (method: string, input: unknown) => dispatch(method, input, { ...kim, role: 'owner' });
  return { ask, bugs, called };
}
const errorOf = async (method: string, input: unknown) => {
  const { ask, called } = dispatcher();
  const reply = await ask(method, input);
  expect(called).toEqual([]);
  return reply.ok ? null : reply.error;
};

describe('a call', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'scripts', 'scripts.list ', 'SCRIPTS.LIST'])(
    'of %j, which is no method, is refused with the methods that there are',
    async (method) => {
      expect(isMethod(method)).toBe(false);
      expect(await errorOf(method, {})).toMatchObject({
        code: 'unknown-method',
        next: expect.stringContaining('scripts.abandon') as string,
      });
    },
  );

  test.each([
    ['scripts.get', {}, 'ticket'],
    ['scripts.get', { ticket: '' }, 'ticket'],
    ['scripts.get', { ticket: 5 }, 'ticket'],
    ['scripts.get', { ticket: 'a'.repeat(65) }, 'ticket'],
    ['scripts.get', { ticket: 'a', tikcet: 'b' }, 'tikcet'],
    ['scripts.get', [], 'input'],
    ['scripts.get', 'a', 'input'],
    ['scripts.get', 7, 'input'],
    ['scripts.list', { all: 'yes' }, 'all'],
    ['host.info', { verbose: true }, 'verbose'],
    ['scripts.start', { command: [] }, 'command'],
    ['scripts.start', { command: ['a', 7] }, 'command.1'],
    ['scripts.start', { command: ['a'], isolation: { level: 'FullIsolation', mutex: 'm' } }, 'isolation.level'],
    ['scripts.start', { command: ['a'], isolation: { level: 'full' } }, 'isolation.mutex'],
    [
      'scripts.start',
      { command: ['a'], isolation: { level: 'full', mutex: 'm', timeoutMs: 9 } },
      'isolation.timeoutMs',
    ],
    [
      'scripts.start',
      { command: ['a'], isolation: { level: 'full', mutex: 'm', timeoutMs: 86_400_001 } },
      'isolation.timeoutMs',
    ],
    ['scripts.start', { command: ['a'], isolation: { level: 'full', mutex: 'm', wait: 1 } }, 'isolation.wait'],
    ['scripts.start', { command: ['a'], environment: { A: 1 } }, 'environment.A'],
    ['scripts.start', { command: ['a'], cancelSignal: 'SIGUSR1' }, 'cancelSignal'],
    ['scripts.start', { command: ['a'], graceMs: -1 }, 'graceMs'],
    ['scripts.start', { command: ['a'], graceMs: 1.5 }, 'graceMs'],
    ['scripts.start', { command: ['a'], graceMs: Number.NaN }, 'graceMs'],
    ['scripts.cancel', { ticket: 'a', version: -1 }, 'version'],
    ['scripts.kill', { ticket: 'a', process: { pid: 0, startTime: 's' } }, 'process.pid'],
    ['scripts.kill', { ticket: 'a', reason: '   ' }, 'reason'],
    ['scripts.abandon', { ticket: 'a', confirmPid: '7312' }, 'confirmPid'],
    ['logs.read', { ticket: 'a', from: -1 }, 'from'],
    ['logs.read', { ticket: 'a', maxBytes: 0 }, 'maxBytes'],
    ['logs.read', { ticket: 'a', stream: 'stdin' }, 'stream'],
    ['history.list', { limit: 10_001 }, 'limit'],
    ['locks.resume', {}, 'name'],
  ])('of %s with %j is refused at "%s" and reaches nobody', async (method, input, field) => {
    const error = await errorOf(method, input);
    expect(error).toMatchObject({ code: 'bad-input', field });
    expect(error?.message).toContain(`"${field}"`);
    expect(error?.next).toContain('openapi.json');
  });

  test.each(['{"ticket":"a","__proto__":{"reason":"x"}}', '{"ticket":"a","constructor":1}'])(
    'with %s smuggles nothing in',
    async (json) => {
      const { ask, called } = dispatcher();
      const reply = await ask('scripts.complete', JSON.parse(json));
      if (reply.ok) expect(called).toEqual([['scripts.complete', { ticket: 'a' }]]);
      else expect(reply.error).toMatchObject({ code: 'bad-input' });
      expect(({} as Record<string, unknown>)['reason']).toBeUndefined();
    },
  );

  test('without input is one with an empty input', async () => {
    for (const nothing of [undefined, null]) {
      const { ask, called } = dispatcher();
      await ask('host.info', nothing);
      expect(called).toEqual([['host.info', {}]]);
    }
  });

  test('hands the caller on, which the caller cannot say by itself', async () => {
    const seen: unknown[] = [];
    const { ask } = dispatcher({
      'scripts.complete': (_input, caller) => (seen.push(caller), { removed: true, warning: null }),
    });
    expect(await ask('scripts.complete', { ticket: 'a' })).toEqual({
      ok: true,
      value: { removed: true, warning: null },
    });
    expect(await ask('scripts.complete', { ticket: 'a', caller: 'root' })).toMatchObject({
      ok: false,
      error: { field: 'caller' },
    });
    expect(seen).toEqual([kim]);
  });

  test('that is refused with reason gets that reason, and no bug is noted', async () => {
    const { ask, bugs } = dispatcher({
      'scripts.complete': () => Promise.reject(new UnjamError('not-final', 'It runs.', 'Wait.', 'ticket')),
    });
    expect(await ask('scripts.complete', { ticket: 'a' })).toEqual({
      ok: false,
      error: { code: 'not-final', message: 'It runs.', next: 'Wait.', field: 'ticket' },
    });
    expect(bugs).toEqual([]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new TypeError('x is not a function');
      },
    ],
    ['rejects', () => Promise.reject(new Error('x is not a function'))],
  ])('whose handler %s is an internal error, noted as a bug', async (_how, handler) => {
    const { ask, bugs } = dispatcher({ 'scripts.complete': handler });
    expect(await ask('scripts.complete', { ticket: 'a' })).toMatchObject({
      ok: false,
      error: {
        code: 'internal',
        message: expect.stringContaining('x is not a function') as string,
        next: expect.stringContaining('host.log') as string,
      },
    });
    expect(bugs.map(([method]) => method)).toEqual(['scripts.complete']);
  });

  test('whose answer breaks the contract is an internal error, not a wrong answer', async () => {
    const { ask, bugs } = dispatcher({ 'scripts.complete': () => ({ removed: 'yes', warning: null }) as never });
    expect(await ask('scripts.complete', { ticket: 'a' })).toMatchObject({ ok: false, error: { code: 'internal' } });
    expect(bugs).toHaveLength(1);
  });
});

describe('an error', () => {
  test('crosses a process boundary and comes back as it was', () => {
    const error = new UnjamError('bad-ticket', 'No.', 'Give another.', 'ticket');
    expect(UnjamError.from(JSON.parse(JSON.stringify(error.toBody())) as never)).toEqual(error);
  });

  test('of a newer host, with a code that is unknown here, is still an error', () => {
    for (const code of ['from-the-future', '__proto__', 'constructor'])
      expect(UnjamError.from({ code, message: 'm', next: 'n' }).code).toBe('internal');
  });

  test('of wrong words is told apart from a failure of the world', () => {
    expect(
      Object.entries(errorCodes)
        .filter(([, kind]) => kind === 'usage')
        .map(([code]) => code),
    ).toEqual([
      'bad-input',
      'bad-ticket',
      'bad-mutex-name',
      'isolation-incomplete',
      'missing-command',
      'unknown-method',
      'too-large',
    ]);
    expect(new UnjamError('bad-ticket', '', '').isUsage).toBe(true);
    expect(new UnjamError('deadlock', '', '').isUsage).toBe(false);
  });
});
