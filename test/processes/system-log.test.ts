import { describe, expect, test } from 'vitest';
import { entryOf, SystemLog, type SystemLogEntry } from '../../app/processes/system-log.ts';

describe('a line for the system’s log', () => {
  test.each([
    ['W201 step 4 [9f2c]: Cancel requested by kim (cli).', 'warning', 201],
    ['I212 step 4 [9f2c]: Force Kill: 3 of 3 processes ended.', 'information', 212],
    ['E101 something.', 'error', 101],
    ['W399 "scripts.list" failed: Error', 'warning', 399],
  ])('"%s" is a %s with the number %i, and keeps its text', (line, type, id) => {
    expect(entryOf(line)).toEqual({ type, id, text: line });
  });

  test.each([
    'Cannot reach the engine: no',
    '',
    'W20 short',
    'W2011 long',
    'w201 small',
    ' W201 indented',
    'X201 what',
  ])('"%s" has no code and is not for monitoring tools', (line) => {
    expect(entryOf(line)).toBeNull();
  });

  test('is cut before Windows refuses it', () => {
    expect(entryOf(`W201 ${'x'.repeat(100_000)}`)?.text).toHaveLength(31_000);
  });
});

describe('the system’s log', () => {
  const open = (write: (entry: SystemLogEntry) => Promise<void>, wanted = () => true) => {
    const problems: string[] = [];
    return { problems, log: new SystemLog({ write, wanted, problem: (sentence) => problems.push(sentence) }) };
  };

  test('gets the lines in their order, one at a time', async () => {
    const seen: number[] = [];
    let under = 0;
    const { log } = open(async ({ id }) => {
      under += 1;
      expect(under).toBe(1);
      await Promise.resolve();
      under -= 1;
      seen.push(id);
    });
    for (const id of [201, 211, 221, 301]) log.write(`W${id} text`);
    await log.close();
    expect(seen).toEqual([201, 211, 221, 301]);
  });

  test('costs one warning when it refuses, and is tried again with the next line', async () => {
    let tries = 0;
    const { log, problems } = open(async () => {
      tries += 1;
      throw new Error('access is denied (Windows error 5)');
    });
    for (let i = 0; i < 50; i += 1) log.write('W201 text');
    await log.close();
    log.write('W201 later');
    await log.close();
    expect(tries).toBe(51);
    expect(problems).toEqual([
      "The system's event log could not be written: access is denied (Windows error 5). It is tried again; this is not repeated.",
    ]);
  });

  test('that never answers keeps nobody waiting, and holds no more than a thousand lines', async () => {
    const { log, problems } = open(() => new Promise(() => undefined));
    for (let i = 0; i < 5_000; i += 1) log.write(`W201 line ${i}`);
    expect(problems).toHaveLength(1);
    await log.close(); // resolves although nothing went out
  });

  test('is left alone while the setting is off', async () => {
    let wanted = false;
    const seen: string[] = [];
    const { log } = open(
      async ({ text }) => void seen.push(text),
      () => wanted,
    );
    log.write('W201 off');
    wanted = true;
    log.write('W202 on');
    await log.close();
    expect(seen).toEqual(['W202 on']);
  });
});
