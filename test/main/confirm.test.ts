/** A page that was taken over can nag a person, but it cannot end, release or start anything by itself. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../app/contract/dispatcher.ts';
import { methods, type Reply, type ScriptDetail } from '../../app/contract/methods.ts';
import { defaultSettings } from '../../app/settings/known.ts';
import { confirmed } from '../../main/page/confirm.ts';
import { oneQuestion } from '../../main/page/question.ts';
import { FakeDialog } from './fakes.ts';
import { detail, mutex, now, observedDetail } from './fixtures.ts';

const caller: Caller = { user: 'CONTOSO\\kim', via: 'window', role: 'owner' };
const ticket = 'web-eu-4';

let script: ScriptDetail | null;
let done: { method: string; input: Record<string, unknown> }[];
let clock: number;
let requireReason: boolean;
let evidenceBeforeEnd: boolean;
let changed: () => void;

beforeEach(() => {
  script = detail();
  done = [];
  clock = now;
  requireReason = false;
  evidenceBeforeEnd = false;
  changed = () => undefined;
});

function guard(dialog: FakeDialog) {
  return confirmed({
    dialog,
    parent: () => null,
    machine: 'WEB-01',
    now: () => clock,
    exclusively: oneQuestion(() => clock),
    gathered: () => new Promise(setImmediate),
    watch: (_ticket, listener, signal) => {
      changed = () => {
        if (!signal.aborted) listener();
      };
    },
    dispatch: async (method, input): Promise<Reply> => {
      if (method === 'settings.get')
        return { ok: true, value: { values: { ...defaultSettings, requireReason, evidenceBeforeEnd }, entries: [] } };
      if (method === 'locks.list') return { ok: true, value: [{ ...mutex('RunningScript', []), paused: true }] };
      if (method === 'observed.get') return { ok: true, value: observedDetail() };
      if (method === 'scripts.get')
        return script === null
          ? {
              ok: false,
              error: { code: 'unknown-ticket', message: 'There is no script with this ticket.', next: 'unjam ps' },
            }
          : { ok: true, value: script };
      done.push({ method, input: input as Record<string, unknown> });
      return { ok: true, value: null };
    },
  });
}

const yes = { 'scripts.kill': 'End 3 processes', 'scripts.abandon': 'Abandon' } as const;

describe('scripts.endProcess', () => {
  const process = { pid: 8444, startTime: 't8444' };

  test('asks about that process, with Go back first, and goes on only after the named button', async () => {
    const no = new FakeDialog('Go back');
    expect(await guard(no)('scripts.endProcess', { ticket, process }, caller)).toMatchObject({
      error: { code: 'not-confirmed' },
    });
    expect(no.last.message).toContain('PID 8444');
    expect([no.last.defaultId, done]).toEqual([0, []]);
    clock += 5_000;
    const input = { ticket, process, reason: 'INC-7' };
    expect(await guard(new FakeDialog('End this process'))('scripts.endProcess', input, caller)).toMatchObject({
      ok: true,
    });
    expect(done).toEqual([{ method: 'scripts.endProcess', input }]);
  });

  test('asks nobody about a process that is not of that script', async () => {
    const dialog = new FakeDialog('End this process');
    for (const other of [
      { ...process, startTime: 'reused' },
      { ...process, pid: 1 },
    ]) {
      expect(await guard(dialog)('scripts.endProcess', { ticket, process: other }, caller)).toMatchObject({
        error: { code: 'other-process' },
      });
      clock += 5_000;
    }
    expect([dialog.asked, done]).toEqual([[], []]);
  });
});

describe('a script of an agent', () => {
  const id = 'o-4242-77';
  const process = { pid: 4242, startTime: 't4242' };
  const verbs = { 'observed.cancel': 'Cancel script', 'observed.kill': 'End 2 processes' } as const;

  test.each(['observed.cancel', 'observed.kill'] as const)('%s is asked about natively, and aimed', async (method) => {
    const no = new FakeDialog('Go back');
    expect(await guard(no)(method, { id }, caller)).toMatchObject({ error: { code: 'not-confirmed' } });
    expect([no.last.defaultId, done]).toEqual([0, []]);
    expect(no.last.message).toContain('octo/shop / deploy');
    expect(no.last.detail).toContain('Runner.Worker is spared.');
    clock += 5_000;
    await guard(new FakeDialog(verbs[method]))(method, { id, reason: 'INC-7' }, caller);
    expect(done).toEqual([
      { method, input: expect.objectContaining({ id, process, reason: 'INC-7' }) as Record<string, unknown> },
    ]);
  });

  test.each(['observed.cancel', 'observed.kill'] as const)('%s of another process asks nobody', async (method) => {
    const dialog = new FakeDialog(verbs[method]);
    const input = { id, process: { ...process, startTime: 'reused' } };
    expect(await guard(dialog)(method, input, caller)).toMatchObject({ error: { code: 'other-process' } });
    expect([dialog.asked, done]).toEqual([[], []]);
  });

  test('the time that the question names is the time that Cancel gives', async () => {
    const dialog = new FakeDialog('Cancel script');
    await guard(dialog)('observed.cancel', { id }, caller);
    expect(dialog.last.detail).toContain('It has 30 s to exit');
    expect(done[0]?.input['graceMs']).toBe(30_000);
  });
});

describe.each(['scripts.kill', 'scripts.abandon'] as const)('%s', (method) => {
  test('does nothing after Go back, which is what Enter and Escape press', async () => {
    const dialog = new FakeDialog('Go back');
    expect(await guard(dialog)(method, { ticket }, caller)).toMatchObject({
      ok: false,
      error: { code: 'not-confirmed' },
    });
    expect(done).toEqual([]);
    expect([dialog.last.buttons?.[0], dialog.last.defaultId, dialog.last.cancelId]).toEqual(['Go back', 0, 0]);
  });

  test('goes on after the named button, aimed at what the dialog showed', async () => {
    const dialog = new FakeDialog(yes[method]);
    expect(await guard(dialog)(method, { ticket, reason: 'INC-7' }, caller)).toEqual({ ok: true, value: null });
    expect(done).toEqual([
      { method, input: { ticket, reason: 'INC-7', version: 5, process: { pid: 7312, startTime: 'start-of-7312' } } },
    ]);
    expect(dialog.last.detail).toContain('INC-7');
  });

  test('asks nobody for a button that the host would refuse: it wants a reason', async () => {
    requireReason = true;
    const dialog = new FakeDialog(yes[method]);
    expect(await guard(dialog)(method, { ticket }, caller)).toMatchObject({
      error: { code: 'bad-input', field: 'reason' },
    });
    expect([dialog.asked, done]).toEqual([[], []]);
    clock += 5_000;
    expect(await guard(dialog)(method, { ticket, reason: 'INC-7' }, caller)).toMatchObject({ ok: true });
  });

  test('says that evidence is saved first, where it is', async () => {
    const dialog = new FakeDialog('Go back', 'Go back');
    await guard(dialog)(method, { ticket }, caller);
    expect(dialog.last.detail).not.toContain('Evidence');
    clock += 5_000;
    evidenceBeforeEnd = true;
    await guard(dialog)(method, { ticket }, caller);
    expect(dialog.last.detail).toContain('Evidence is saved first, which takes 2 s at most.');
  });

  test('asks nobody when the page decided on an older state, or on another process', async () => {
    const dialog = new FakeDialog();
    expect(await guard(dialog)(method, { ticket, version: 4 }, caller)).toMatchObject({
      error: { code: 'stale-version' },
    });
    clock += 5_000;
    expect(await guard(dialog)(method, { ticket, version: 999 }, caller)).toMatchObject({
      error: { code: 'stale-version' },
    });
    const other = { ticket, process: { pid: 7312, startTime: 'reused' } };
    expect(await guard(dialog)(method, other, caller)).toMatchObject({ error: { code: 'other-process' } });
    expect([dialog.asked, done]).toEqual([[], []]);
  });

  test('asks nobody about a verb that is not possible, or a script that is not there', async () => {
    const dialog = new FakeDialog();
    const no = { possible: false, text: 'It has ended.' };
    script = detail({ verbs: { cancel: no, kill: no, abandon: no } });
    expect(await guard(dialog)(method, { ticket }, caller)).toMatchObject({
      error: { code: 'not-possible', message: 'It has ended.' },
    });
    script = null;
    expect(await guard(dialog)(method, { ticket }, caller)).toMatchObject({ error: { code: 'unknown-ticket' } });
    expect([dialog.asked, done]).toEqual([[], []]);
  });

  test('closes the question when the script ends by itself meanwhile', async () => {
    const dialog = new FakeDialog();
    const reply = guard(dialog)(method, { ticket }, caller);
    await expect.poll(() => dialog.asked.length).toBe(1);
    script = detail({ state: 'final', verdict: 'exited', orphan: false });
    changed();
    expect(await reply).toMatchObject({
      ok: false,
      error: {
        code: 'not-possible',
        message:
          '"Deploy web-eu / step 4" has already ended. There is nothing to ' +
          (method === 'scripts.kill' ? 'kill' : 'abandon') +
          '.',
      },
    });
    expect(done).toEqual([]);
  });

  test('opens one question at a time, and the next one not at once', async () => {
    const dialog = new FakeDialog();
    const call = guard(dialog);
    const first = call(method, { ticket }, caller);
    await expect.poll(() => dialog.asked.length).toBe(1);
    for (let i = 0; i < 20; i++)
      expect(await call(method, { ticket }, caller)).toMatchObject({ error: { code: 'not-possible' } });
    script = null;
    changed();
    await first;
    script = detail();
    expect(await call(method, { ticket }, caller)).toMatchObject({ error: { code: 'not-possible' } });
    clock += 1_001;
    dialog.answers.push(yes[method]);
    expect(await call(method, { ticket }, caller)).toMatchObject({ ok: true });
    expect(dialog.asked).toHaveLength(2);
  });
});

describe('Cancel', () => {
  test('is asked too, aimed at what the question showed, and does not become a kill by default', async () => {
    const dialog = new FakeDialog('Go back', 'Cancel script');
    const call = guard(dialog);
    expect(await call('scripts.cancel', { ticket }, caller)).toMatchObject({ error: { code: 'not-confirmed' } });
    expect(done).toEqual([]);
    clock += 5_000;
    expect(await call('scripts.cancel', { ticket, graceMs: 60_000 }, caller)).toEqual({ ok: true, value: null });
    const process = { pid: 7312, startTime: 'start-of-7312' };
    expect(done).toEqual([
      { method: 'scripts.cancel', input: { ticket, graceMs: 60_000, escalate: false, version: 5, process } },
    ]);
    expect(dialog.last.detail).toContain('asks PID 7312 to stop. It has 1 min to exit');
  });

  test('of many scripts at once is one question', async () => {
    const dialog = new FakeDialog('Cancel 3 scripts');
    const call = guard(dialog);
    const replies = await Promise.all([1, 2, 3].map(() => call('scripts.cancel', { ticket }, caller)));
    expect(replies.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect([dialog.asked.length, done.length]).toEqual([1, 3]);
  });

  test('of many scripts after Go back cancels none of them', async () => {
    const call = guard(new FakeDialog('Go back'));
    const replies = await Promise.all([1, 2, 3].map(() => call('scripts.cancel', { ticket }, caller)));
    expect(replies).toMatchObject(Array(3).fill({ ok: false, error: { code: 'not-confirmed' } }));
    expect(done).toEqual([]);
  });

  test('of a script whose own signal is SIGKILL is asked as a Force Kill', async () => {
    script = detail({ cancelSignal: 'SIGKILL' });
    const dialog = new FakeDialog('Go back');
    expect(await guard(dialog)('scripts.cancel', { ticket }, caller)).toMatchObject({
      error: { code: 'not-confirmed' },
    });
    expect([dialog.last.message, done]).toEqual(['Force Kill "Deploy web-eu / step 4"?', []]);
  });

  test.each([{ escalate: true }, { signal: 'SIGKILL' }, { signal: 'SIGKILL', escalate: false, graceMs: 0 }])(
    'that is a Force Kill by another name is asked as one (%o)',
    async (extra) => {
      const dialog = new FakeDialog('Go back');
      expect(await guard(dialog)('scripts.cancel', { ticket, ...extra }, caller)).toMatchObject({
        error: { code: 'not-confirmed' },
      });
      expect(dialog.last.message).toBe('Force Kill "Deploy web-eu / step 4"?');
      expect(done).toEqual([]);
    },
  );
});

describe('Run script', () => {
  test('shows the whole command, its folder and everything else that will run', async () => {
    const dialog = new FakeDialog('Run');
    const input = {
      command: ['cmd.exe', '/c', 'del important.txt'],
      cwd: 'C:\\Deploy',
      notify: ['curl', 'http://x'],
      cleanup: { command: ['tidy.cmd'], timeoutMs: 1000 },
      environment: { NODE_OPTIONS: '--require evil' },
    };
    await guard(dialog)('scripts.start', input, caller);
    for (const part of [
      'cmd.exe /c ‹del important.txt›',
      'C:\\Deploy',
      'curl http://x',
      'tidy.cmd',
      'NODE_OPTIONS=--require evil',
    ])
      expect(dialog.last.detail).toContain(part);
    expect(done).toMatchObject([{ method: 'scripts.start', input }]);
  });

  test('starts nothing after Go back', async () => {
    expect(await guard(new FakeDialog('Go back'))('scripts.start', { command: ['calc.exe'] }, caller)).toMatchObject({
      ok: false,
    });
    expect(done).toEqual([]);
  });

  test('is refused when the command is too long to be read', async () => {
    const dialog = new FakeDialog();
    const command = ['powershell', '-EncodedCommand', 'A'.repeat(3000)];
    expect(await guard(dialog)('scripts.start', { command }, caller)).toMatchObject({ error: { code: 'too-large' } });
    expect([dialog.asked, done]).toEqual([[], []]);
  });
});

describe('a name cannot rewrite the question around it', () => {
  test.each(['x"?\n\nThis is only a test.\nPress End', 'x\u202Etxt.exe', 'a\u2028b', 'zero\u200Bwidth', 'bell\u0007'])(
    '%j',
    async (name) => {
      script = detail({ name });
      for (const method of ['scripts.kill', 'scripts.abandon'] as const) {
        const dialog = new FakeDialog('Go back');
        await guard(dialog)(method, { ticket, reason: name }, caller);
        expect(dialog.last.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(dialog.last.detail).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(dialog.last.detail).not.toMatch(/^This is only a test/mu);
      }
    },
  );

  test('and invisible characters of a command are spelled out', async () => {
    const dialog = new FakeDialog('Go back');
    await guard(dialog)('scripts.start', { command: ['notepad\u202Eexe.txt'] }, caller);
    expect(dialog.last.detail).toBe('notepad\\u{202e}exe.txt');
  });
});

describe('what weakens a guard or deletes evidence', () => {
  test.each([
    ['settings.set', { values: { autoAbandon: true } }, 'Change'],
    ['settings.set', { values: { keepHistoryDays: 30 } }, 'Change'],
    ['settings.set', { values: { access: [{ who: 'guest', role: 'owner' }] } }, 'Change'],
    ['locks.resume', { name: 'runningscript' }, 'Resume'],
    ['scripts.complete', { ticket }, 'Delete'],
  ] as const)('%s %o is done after %s, and not after Go back', async (method, input, yes) => {
    const dialog = new FakeDialog('Go back', yes);
    const call = guard(dialog);
    expect(await call(method, input, caller)).toMatchObject({ error: { code: 'not-confirmed' } });
    expect(done).toEqual([]);
    clock += 5_000;
    expect(await call(method, input, caller)).toMatchObject({ ok: true });
    expect(done).toEqual([{ method, input }]);
  });

  test('is named in the question, with the old value and the new one', async () => {
    const dialog = new FakeDialog('Go back');
    const values = { keepHistoryDays: 30, theme: 'dark', silentAfterMinutes: 60 } as const;
    await guard(dialog)('settings.set', { values }, caller);
    expect(dialog.last.message).toBe('Change these 2 settings?');
    expect(dialog.last.detail?.split('\n')).toEqual([
      '- A silent script is reported as stuck after 60 min instead of 10 min.',
      '- History entries older than 30 days are deleted; now they are kept for 365.',
    ]);
  });

  test('is not asked about when a guard becomes stronger, or only the look changes', async () => {
    const dialog = new FakeDialog();
    const values = { requireReason: true, keepHistoryDays: 400, silentAfterMinutes: 5, theme: 'dark' } as const;
    expect(await guard(dialog)('settings.set', { values }, caller)).toMatchObject({ ok: true });
    expect([dialog.asked, done.length]).toEqual([[], 1]);
  });

  test.each(['host.retire', 'locks.abandon', 'alerts.test', 'console.open'])(
    '%s is never a call of the page',
    async (method) => {
      expect(await guard(new FakeDialog())(method, { ticket, name: 'M' }, caller)).toMatchObject({
        error: { code: 'unauthorized' },
      });
      expect(done).toEqual([]);
    },
  );
});

test('the page’s other calls pass as they are', async () => {
  const dialog = new FakeDialog();
  const calls = [
    ['scripts.list', { all: true }],
    ['drill.start', {}],
    ['no.such', 1],
  ] as const;
  for (const [method, input] of calls) await guard(dialog)(method, input, caller);
  expect(dialog.asked).toEqual([]);
  expect(done.map((call) => call.method)).toEqual(['scripts.list', 'drill.start', 'no.such']);
});

test(
  'nothing dangerous is dispatched without the named button, whatever the page sends',
  { timeout: 30_000 },
  async () => {
    const dangerous = ['scripts.kill', 'scripts.abandon', 'scripts.start', 'scripts.cancel'];
    const valid = fc.record(
      {
        ticket: fc.constantFrom(ticket, 'other'),
        version: fc.constantFrom(4, 5, 6),
        reason: fc.string({ minLength: 1, maxLength: 20 }),
        confirmPid: fc.constantFrom(7312, 1),
        holdQueue: fc.boolean(),
        escalate: fc.boolean(),
        signal: fc.constantFrom('SIGKILL', 'SIGTERM', 'ctrl-c'),
        command: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...dangerous, '__proto__', 'SCRIPTS.KILL'),
        fc.oneof(valid, fc.anything()),
        async (method, input) => {
          done = [];
          clock += 10_000;
          await guard(new FakeDialog('Go back'))(method, input, caller);
          // What does not fit the contract may be passed on: the dispatcher refuses it by the same schema.
          for (const call of done) {
            const schema = Object.hasOwn(methods, call.method)
              ? methods[call.method as keyof typeof methods].input
              : null;
            const accepted = schema?.safeParse(call.input ?? {}).success === true;
            expect(accepted && dangerous.includes(call.method)).toBe(false);
          }
        },
      ),
      { numRuns: 1000 },
    );
  },
);

test('the questions say what happens, what does not, and who starts next', async () => {
  const kill = new FakeDialog('Go back');
  await guard(kill)('scripts.kill', { ticket }, caller);
  expect(kill.last).toMatchObject({
    message: 'Force Kill "Deploy web-eu / step 4"?',
    buttons: ['Go back', 'End 3 processes'],
  });
  expect(kill.last.detail).toMatch(
    /^Ends these 3 processes at once:\n {4}7312 powershell\.exe {2}started \d\d:\d\d:\d\d\n/u,
  );
  expect(kill.last.detail).toContain(
    '- "RunningScript" is released when all of them have ended; then "Deploy api-eu / step 1" starts (it has been waiting for 46 min).',
  );
  expect(kill.last.detail).toContain('Cancel was tried and the script is still running.');

  const abandon = new FakeDialog('Go back', 'Go back');
  await guard(abandon)('scripts.abandon', { ticket }, caller);
  expect(abandon.last.detail?.split('\n')).toEqual([
    'Unjam releases "RunningScript" now. Nothing is ended.',
    '- PID 7312 and 2 child processes may keep running and keep changing files, services and databases.',
    '- "Deploy api-eu / step 1" starts at once. Both may work on the same things at the same time.',
    '- Its output is still recorded until it exits.',
    '- This cannot be undone.',
    'Cancel was tried and the script is still running.',
  ]);
  await guard(abandon)('scripts.abandon', { ticket, holdQueue: true }, caller);
  expect(abandon.last.detail).toContain(
    '- The queue is paused: nothing starts under "RunningScript" until somebody resumes it.',
  );
});
