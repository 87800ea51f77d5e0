import { describe, expect, test } from 'vitest';
import type { SignalOutcome } from '../../app/processes/control.ts';
import { isWindows, useWindows } from './support/runtime.ts';

const run = useWindows();

interface Interrupted {
  readonly outcome: SignalOutcome;
  readonly ms: number;
  readonly exit?: { readonly code: number };
  readonly output: string;
  readonly root: number;
  readonly alive?: string;
}

const sentToConsole = (event: string) => ({
  kind: 'sent',
  what: expect.stringMatching(new RegExp(`^${event} to the console of PID \\d+`)) as string,
});

describe('Ctrl-C', () => {
  test.each(['ctrl-c', 'SIGINT'])('sent as %s arrives at a Node script as SIGINT', async (signal) => {
    const seen = await run.scenario<Interrupted>('processes', 'interrupt', { kind: 'polite', signal });
    expect(seen).toMatchObject({
      outcome: { kind: 'sent', what: `Ctrl-C to the console of PID ${seen.root}` },
      exit: { code: 23 },
    });
    expect(seen.output).toContain('got SIGINT');
    console.log(`Ctrl-C through the helper, ${run.windows.version}: ${seen.ms} ms`);
  });

  test('ends a script that does nothing about it', async () => {
    const { outcome, exit } = await run.scenario<Interrupted>('processes', 'interrupt', {
      kind: 'stay',
      signal: 'ctrl-c',
    });
    expect(outcome).toMatchObject(sentToConsole('Ctrl-C'));
    // Wine 8 ends it with 0.
    expect(exit!.code).toBe(run.windows.wineMajor === 8 ? 0 : 0xc000013a);
  });

  test('reaches every process of the console: parent, child and grandchild end', async () => {
    const { outcome } = await run.scenario<Interrupted>('processes', 'interrupt', { kind: 'family', signal: 'ctrl-c' });
    expect(outcome).toMatchObject(sentToConsole('Ctrl-C'));
  });

  test('is sent, not obeyed: a script that ignores it lives on and gets it once', async () => {
    const { outcome, output, alive } = await run.scenario<Interrupted>('processes', 'interrupt', {
      kind: 'stubborn',
      signal: 'ctrl-c',
    });
    expect(outcome).toMatchObject(sentToConsole('Ctrl-C'));
    expect(output).toBe('ready\nignored 1\n');
    expect(alive).toBe('alive');
  });

  test('reaches the script of a detached runner that has cleared the inherited flag', async () => {
    const seen = await run.scenario<Interrupted>('processes', 'detached', { prepare: 'yes' });
    expect(seen).toMatchObject({ outcome: sentToConsole('Ctrl-C'), exit: { code: 23 } });
  });

  test('is lost without that: why prepareRunner exists', async () => {
    const seen = await run.scenario<Interrupted>('processes', 'detached', { prepare: 'no' });
    expect(seen).toMatchObject({ outcome: sentToConsole('Ctrl-C'), alive: 'alive', output: 'ready\n' });
  });

  test('wakes a suspended script, which is said to be suspended before', async () => {
    const seen = await run.scenario<Interrupted>('processes', 'interrupt suspended');
    expect(seen).toMatchObject({
      suspended: true,
      waitsFor: expect.stringContaining('suspended: no thread may run') as string,
      outcome: { kind: 'sent', what: expect.stringMatching(/^Resume to 1 suspended process, then Ctrl-C/) as string },
      exit: { code: 23 },
    });
  });

  test('cannot reach a process without a console, and says so', async () => {
    const { outcome } = await run.scenario<Interrupted>('processes', 'interrupt without console');
    expect(outcome).toMatchObject({ kind: 'undeliverable', errorCode: 6, message: 'it has no console' });
  });

  test('to a script that has ended finds it gone', async () => {
    expect(await run.scenario('processes', 'interrupt gone')).toEqual({
      outcome: { kind: 'gone' },
      tree: [],
      facts: null,
    });
  });
});

describe('Ctrl-Break', () => {
  test.skipIf(!isWindows)('arrives as SIGBREAK (Wine 8 refuses it, Wine 10 hangs on it)', async () => {
    const { outcome, exit } = await run.scenario<Interrupted>('processes', 'interrupt', {
      kind: 'polite',
      signal: 'ctrl-break',
    });
    expect(outcome).toMatchObject(sentToConsole('Ctrl-Break'));
    expect(exit!.code).toBe(24);
  });
});

test('SIGKILL ends the job', async () => {
  const { outcome, exit } = await run.scenario<Interrupted>('processes', 'interrupt', {
    kind: 'stay',
    signal: 'SIGKILL',
  });
  expect(outcome).toMatchObject({ kind: 'sent', what: expect.stringContaining('termination of the job') as string });
  expect(exit!.code).toBe(137);
});

test('a program with a window and no console gets WM_CLOSE and ends in its own way', async () => {
  expect(await run.scenario('processes', 'close windows')).toMatchObject({ exit: { code: 0 } });
});

test('a batch file and the program in it end by Ctrl-C, and nothing after it runs', async (context) => {
  context.skip(run.windows.wineMajor === 8, "Wine 8's cmd goes on with the next line");
  const { outcome, output } = await run.scenario<Interrupted>('processes', 'interrupt batch');
  expect(outcome).toMatchObject(sentToConsole('Ctrl-C'));
  expect(output).not.toContain('after');
});

test.skipIf(!isWindows)(
  'a batch file at "Terminate batch job (Y/N)?" gets a second Ctrl-C (Wine’s cmd does not ask)',
  async () => {
    const { outcome } = await run.scenario<Interrupted>('processes', 'interrupt batch');
    expect(outcome).toMatchObject({ kind: 'sent', what: expect.stringContaining('Ctrl-C again') as string });
  },
);
