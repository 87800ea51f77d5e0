/** A start request becomes a whole spec, or an error that says what is wrong; nothing in between. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UnjamError } from '../../app/contract/errors.ts';
import type { Parsed } from '../../app/contract/methods.ts';
import { limits } from '../../app/domain/limits.ts';
import { ticketProblem } from '../../app/domain/names.ts';
import { acceptStart } from '../../app/scripts/accept.ts';
import { kim } from '../support/fake-domain.ts';
import { temporaryFolder } from '../support/fake-home.ts';

function accept(changes: Partial<Parsed<'scripts.start'>> = {}) {
  const cwd = temporaryFolder();
  return acceptStart({ command: [process.execPath, '-e', '0'], cwd, ...changes }, kim, {
    platform: 'linux',
    defaultSignal: 'SIGTERM',
    environment: { PATH: process.env['PATH'], SECRET: 's', UNJAM_RUN: 'outer' },
    cwd,
    identify: () => null,
  });
}
const refused = (changes: Partial<Parsed<'scripts.start'>>): { code: string; field: string | undefined } => {
  try {
    accept(changes);
  } catch (error) {
    if (error instanceof UnjamError) return { code: error.code, field: error.field };
    throw error;
  }
  throw new Error('It was accepted.');
};

describe('a start request', () => {
  test('keeps the trace of its caller, and nothing that is none', () => {
    const trace = (TRACEPARENT: string) => accept({ environment: { PATH: '/usr/bin', TRACEPARENT } }).spec.traceparent;
    const good = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(trace(good)).toBe(good);
    expect(accept().spec.traceparent).toBeUndefined();
    const bad = ['', 'x', good.toUpperCase(), `ff${good.slice(2)}`, `${good}\n`, good.replace(/00f067aa0ba902b7/, '0'.repeat(16)), `00-${'0'.repeat(32)}${good.slice(35)}`]; // prettier-ignore
    expect(bad.map(trace)).toEqual(bad.map(() => undefined));
  });

  test('gets a ticket that is safe, and a run id of its own', () => {
    const tickets = Array.from({ length: 50 }, () => accept().spec.ticket);
    expect(tickets.map(ticketProblem).filter((p) => p !== null)).toEqual([]);
    expect(new Set(tickets).size).toBe(50);
    expect(accept({ ticket: 'mine' }).spec.runId).not.toBe(accept({ ticket: 'mine' }).spec.runId);
  });

  test('is filled up with the defaults', () => {
    expect(accept().spec).toMatchObject({
      schema: 1,
      isolation: null,
      timeouts: { overallMs: null, noOutputMs: null },
      cancel: { signal: 'SIGTERM', graceMs: limits.graceMs },
      notify: null,
      cleanup: null,
      actor: kim,
      file: process.execPath,
    });
    expect(accept({ isolation: { level: 'none', mutex: 'm' } }).spec.isolation).toEqual({
      level: 'none',
      mutex: 'm',
      timeoutMs: null,
    });
    expect(accept({ graceMs: 0, cancelSignal: 'SIGINT' }).spec.cancel).toEqual({ signal: 'SIGINT', graceMs: 0 });
  });

  test.each(['http://127.0.0.1:8080/done', 'http://[::1]:8080/', 'http://localhost/a?b=c'])(
    'may notify %s',
    (notify) => {
      expect(accept({ notify: [notify] }).spec.notify).toEqual([notify]);
    },
  );

  test('finds its notify command as it finds its own: through the PATH of who asked', () => {
    expect(accept({ notify: ['sh', '-c', 'true'] }).spec.notify).toEqual([
      expect.stringMatching(/^\/.*\/sh$/),
      '-c',
      'true',
    ]);
  });

  test('writes the names of its variables down, and no value', () => {
    const { spec, environment } = accept({
      environment: { B: 'secret-value', A: '1', PATH: process.env['PATH'] ?? '' },
    });
    expect(spec.environmentNames).toEqual(['A', 'B', 'PATH']);
    expect(environment['B']).toBe('secret-value');
    expect(JSON.stringify(spec)).not.toContain('secret-value');
  });

  test('without an environment gets the host’s', () => {
    expect(accept().environment['SECRET']).toBe('s');
  });

  test.each<[string, Partial<Parsed<'scripts.start'>>, string, string]>([
    ['an address elsewhere to notify', { notify: ['http://example.com/x'] }, 'bad-input', 'notify'],
    ['an address with a scheme that is not http', { notify: ['https://localhost/x'] }, 'bad-input', 'notify'],
    ['an address that only looks local', { notify: ['http://127.0.0.1.example.com/'] }, 'bad-input', 'notify'],
    ['an address that is none', { notify: ['http://:::/'] }, 'bad-input', 'notify'],
    ['an address with arguments', { notify: ['http://127.0.0.1:1/', '-v'] }, 'bad-input', 'notify'],
    ['a notify command that is not there', { notify: ['no-such-command-here'] }, 'command-not-found', 'notify.0'],
    ['a relative folder', { cwd: 'runs' }, 'bad-input', 'cwd'],
    ['a folder with a NUL', { cwd: '/tmp\0/x' }, 'folder-not-found', 'cwd'],
    ['a ticket that leads out of the folder', { ticket: '../x' }, 'bad-ticket', 'ticket'],
    ['a ticket that is a device', { ticket: 'NUL' }, 'bad-ticket', 'ticket'],
    ['a mutex of two lines', { isolation: { level: 'full', mutex: 'a\nb' } }, 'bad-mutex-name', 'isolation.mutex'],
    ['a mutex without a name', { isolation: { level: 'full', mutex: '' } }, 'bad-mutex-name', 'isolation.mutex'],
    ['no command', { command: [] }, 'missing-command', 'command'],
    ['an empty command', { command: ['  '] }, 'missing-command', 'command'],
    ['a command that is not there', { command: ['unjam-no-such-command'] }, 'command-not-found', 'command.0'],
    ['a folder that is not there', { cwd: '/no/such/folder' }, 'folder-not-found', 'cwd'],
    ['a folder that is a file', { cwd: process.execPath }, 'folder-not-found', 'cwd'],
  ])('with %s is refused', (_what, changes, code, field) => {
    expect(refused(changes)).toEqual({ code, field });
  });

  test('with a file that may not be executed is refused', { skip: process.platform === 'win32' }, () => {
    const file = join(temporaryFolder(), 'deploy.sh');
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, 0o644);
    expect(refused({ command: [file] })).toEqual({ code: 'command-not-found', field: 'command.0' });
    chmodSync(file, 0o755);
    expect(accept({ command: [file] }).spec.file).toBe(file);
  });
});
