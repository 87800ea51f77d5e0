/** What the command line makes of options and of the environment that a wrapper sets. */
import { describe, expect, test } from 'vitest';
import { cancelSignal, duration, isolationInput, startInput, words } from '../../app/cli/script-options.ts';
import { UnjamError } from '../../app/contract/errors.ts';
import { cancelSignals } from '../../app/domain/script.ts';

const refused = (act: () => unknown): { code: string; field: string | undefined; next: string } => {
  try {
    act();
  } catch (error) {
    if (error instanceof UnjamError) return { code: error.code, field: error.field, next: error.next };
    throw error;
  }
  throw new Error('It was not refused.');
};
const env = {
  UNJAM_ISOLATION_LEVEL: 'NoIsolation',
  UNJAM_MUTEX_NAME: 'FromEnvironment',
  UNJAM_MUTEX_TIMEOUT: '00:30:00',
};

describe('isolation', () => {
  test('is not asked for when nothing is said', () => {
    expect(isolationInput({}, {})).toBeNull();
  });

  test.each([
    ['full', 'full'],
    ['FULL', 'full'],
    ['FullIsolation', 'full'],
    ['fullisolation', 'full'],
    [' Full ', 'full'],
    ['none', 'none'],
    ['NoIsolation', 'none'],
    ['noisolation', 'none'],
  ])('%j is %s', (text, level) => {
    expect(isolationInput({ mutex: 'm', isolation: text }, {})).toEqual({ level, mutex: 'm' });
    expect(isolationInput({}, { UNJAM_MUTEX_NAME: 'm', UNJAM_ISOLATION_LEVEL: text })).toEqual({ level, mutex: 'm' });
  });

  test('with a mutex alone is full', () => {
    expect(isolationInput({ mutex: 'm' }, {})).toEqual({ level: 'full', mutex: 'm' });
  });

  test('comes whole from the environment, for wrappers', () => {
    expect(isolationInput({}, env)).toEqual({ level: 'none', mutex: 'FromEnvironment', timeoutMs: 1_800_000 });
  });

  test('comes from the spellings of Calamari too, after those of Unjam', () => {
    const calamari = {
      CalamariScriptIsolationLevel: 'FullIsolation',
      CalamariScriptIsolationMutexName: 'RunningScript',
      CalamariScritpIsolationMutexTimeout: '0.00:05:00',
    };
    expect(isolationInput({}, calamari)).toEqual({ level: 'full', mutex: 'RunningScript', timeoutMs: 300_000 });
    expect(isolationInput({}, { ...calamari, CalamariScriptIsolationMutexTimeout: '00:00:00' })).toEqual({
      level: 'full',
      mutex: 'RunningScript',
    });
    expect(isolationInput({}, { ...calamari, ...env })).toMatchObject({ level: 'none', mutex: 'FromEnvironment' });
    expect(refused(() => isolationInput({}, { CalamariScriptIsolationLevel: 'FullIsolation' }))).toMatchObject({
      code: 'isolation-incomplete',
    });
    expect(refused(() => isolationInput({}, { ...calamari, CalamariScritpIsolationMutexTimeout: 'x' }))).toMatchObject({
      field: 'CalamariScritpIsolationMutexTimeout',
    });
    const { environment } = startInput(['true'], {}, { ...calamari, ...env, UNJAM_TIMEOUT: '5m', PATH: '/bin' });
    expect(environment).toEqual({ PATH: '/bin' });
  });

  test('and the overall time limit, which an option overrides', () => {
    expect(startInput(['true'], {}, { UNJAM_TIMEOUT: '5m' }).timeoutMs).toBe(300_000);
    expect(startInput(['true'], { timeout: '1m' }, { UNJAM_TIMEOUT: '5m' }).timeoutMs).toBe(60_000);
    expect(refused(() => startInput(['true'], {}, { UNJAM_TIMEOUT: 'soon' }))).toMatchObject({
      field: 'UNJAM_TIMEOUT',
    });
  });

  test('is decided by options where both are given, each for itself', () => {
    expect(isolationInput({ mutex: 'm', isolation: 'full', mutexTimeout: '1d' }, env)).toEqual({
      level: 'full',
      mutex: 'm',
      timeoutMs: 86_400_000,
    });
    expect(isolationInput({ isolation: 'full' }, env)).toEqual({
      level: 'full',
      mutex: 'FromEnvironment',
      timeoutMs: 1_800_000,
    });
    expect(isolationInput({ mutexTimeout: 'none' }, env)).toEqual({ level: 'none', mutex: 'FromEnvironment' });
  });

  test.each(['none', 'never', 'Infinite', '', '  '])('waits for ever with the timeout %j', (mutexTimeout) => {
    expect(isolationInput({ mutex: 'm', mutexTimeout }, {})).toEqual({ level: 'full', mutex: 'm' });
  });

  test.each([
    ['10ms', 10],
    ['0.01', 10],
    ['30m', 1_800_000],
    ['1d', 86_400_000],
    ['1.00:00:00', 86_400_000],
  ])('waits for the mutex %j = %i ms', (mutexTimeout, timeoutMs) => {
    expect(isolationInput({ mutex: 'm', mutexTimeout }, {})).toMatchObject({ timeoutMs });
  });

  describe('that is incomplete or wrong runs nothing', () => {
    test.each([
      ['a level without a mutex', () => isolationInput({ isolation: 'full' }, {}), 'isolation-incomplete', 'mutex'],
      [
        'no isolation without a mutex',
        () => isolationInput({ isolation: 'none' }, {}),
        'isolation-incomplete',
        'mutex',
      ],
      ['a timeout without a mutex', () => isolationInput({ mutexTimeout: '1m' }, {}), 'isolation-incomplete', 'mutex'],
      ['an empty mutex', () => isolationInput({ mutex: '' }, {}), 'isolation-incomplete', 'mutex'],
      ['an empty variable', () => isolationInput({}, { UNJAM_MUTEX_NAME: '' }), 'isolation-incomplete', 'mutex'],
      [
        'an empty option over a good variable',
        () => isolationInput({ mutex: '' }, env),
        'isolation-incomplete',
        'mutex',
      ],
      [
        'a level that is none',
        () => isolationInput({ mutex: 'm', isolation: 'exclusive' }, {}),
        'bad-input',
        'isolation',
      ],
      ['an empty level', () => isolationInput({ mutex: 'm' }, { UNJAM_ISOLATION_LEVEL: '' }), 'bad-input', 'isolation'],
      ['a mutex name that is none', () => isolationInput({ mutex: 'a\nb' }, {}), 'bad-mutex-name', '--mutex'],
      [
        'a variable with a name that is none',
        () => isolationInput({}, { UNJAM_MUTEX_NAME: 'a\tb' }),
        'bad-mutex-name',
        'UNJAM_MUTEX_NAME',
      ],
      [
        'a timeout that is none',
        () => isolationInput({ mutex: 'm', mutexTimeout: 'soon' }, {}),
        'bad-input',
        '--mutex-timeout',
      ],
      [
        'a variable with a timeout that is none',
        () => isolationInput({ mutex: 'm' }, { UNJAM_MUTEX_TIMEOUT: 'soon' }),
        'bad-input',
        'UNJAM_MUTEX_TIMEOUT',
      ],
      [
        'a timeout of zero',
        () => isolationInput({ mutex: 'm', mutexTimeout: '0' }, {}),
        'bad-input',
        '--mutex-timeout',
      ],
      [
        'a timeout of 9 ms',
        () => isolationInput({ mutex: 'm', mutexTimeout: '9ms' }, {}),
        'bad-input',
        '--mutex-timeout',
      ],
      [
        'a timeout over a day',
        () => isolationInput({ mutex: 'm', mutexTimeout: '1.00:00:01' }, {}),
        'bad-input',
        '--mutex-timeout',
      ],
      [
        'a timeout without end in digits',
        () => isolationInput({ mutex: 'm', mutexTimeout: '9'.repeat(400) }, {}),
        'bad-input',
        '--mutex-timeout',
      ],
    ])('%s', (_what, act, code, field) => {
      expect(refused(act)).toMatchObject({ code, field });
      expect(refused(act).next).not.toBe('');
    });
  });
});

describe('a cancel signal', () => {
  test.each([
    ...cancelSignals.map((s): [string, string] => [s, s]),
    ['kill', 'SIGKILL'],
    ['KILL', 'SIGKILL'],
    ['int', 'SIGINT'],
    ['term', 'SIGTERM'],
    ['quit', 'SIGQUIT'],
    ['hup', 'SIGHUP'],
    ['sigterm', 'SIGTERM'],
    ['Ctrl-C', 'ctrl-c'],
    ['CTRL-BREAK', 'ctrl-break'],
  ])('%j is %s', (text, signal) => {
    expect(cancelSignal(text)).toBe(signal);
  });

  test.each(['', 'SIGUSR1', '9', '15', 'sig', 'ctrl+c', 'toString'])('%j is refused', (text) => {
    expect(refused(() => cancelSignal(text))).toMatchObject({ code: 'bad-input', field: '--cancel-signal' });
  });
});

describe('a start', () => {
  test('without a command, with a bad ticket or a bad variable is refused', () => {
    expect(refused(() => startInput([], {}, {}))).toMatchObject({ code: 'missing-command', field: 'command' });
    expect(refused(() => startInput(['a'], { ticket: '../x' }, {}))).toMatchObject({
      code: 'bad-ticket',
      field: '--ticket',
    });
    for (const text of ['A', '=b', ''])
      expect(refused(() => startInput(['a'], { env: [text] }, {}))).toMatchObject({
        code: 'bad-input',
        field: '--env',
      });
  });

  test('hands on the environment, without what was meant for Unjam alone', () => {
    const input = startInput(
      ['a', '-b'],
      { env: ['A=1', 'B==x', 'C='], cwd: '/w' },
      { ...env, UNJAM_HOME: '/h', PATH: '/bin', A: '0', UNJAM_RUN: 'r' },
    );
    expect(input).toEqual({
      command: ['a', '-b'],
      cwd: '/w',
      environment: { UNJAM_HOME: '/h', PATH: '/bin', A: '1', B: '=x', C: '', UNJAM_RUN: 'r' },
      isolation: { level: 'none', mutex: 'FromEnvironment', timeoutMs: 1_800_000 },
    });
  });

  test('carries limits only when they are given, each within its range', () => {
    expect(
      startInput(
        ['a'],
        {
          timeout: '1h',
          noOutputTimeout: '10m',
          grace: '0',
          cancelSignal: 'int',
          name: 'n',
          ticket: 't',
          notify: 'notify  me',
        },
        {},
      ),
    ).toMatchObject({
      timeoutMs: 3_600_000,
      noOutputTimeoutMs: 600_000,
      graceMs: 0,
      cancelSignal: 'SIGINT',
      name: 'n',
      ticket: 't',
      notify: ['notify', 'me'],
    });
    expect(refused(() => startInput(['a'], { grace: '61m' }, {})).field).toBe('--grace');
    expect(refused(() => startInput(['a'], { timeout: '25h' }, {})).field).toBe('--timeout');
    expect(refused(() => startInput(['a'], { noOutputTimeout: '1' + 'ms' }, {})).field).toBe('--no-output-timeout');
    expect(duration(undefined, '--x')).toBeNull();
  });
});

describe('a command as one option', () => {
  test.each([
    ['notify  me', ['notify', 'me']],
    [`sh -c 'echo "done" >> log'`, ['sh', '-c', 'echo "done" >> log']],
    [`tell "a b"'c d'`, ['tell', 'a bc d']],
    ['tell ""', ['tell', '']],
    ['a\\ b "say \\"no\\""', ['a b', 'say "no"']],
    ['C:\\Tools\\tell.exe "C:\\Program Files\\x"', ['C:\\Tools\\tell.exe', 'C:\\Program Files\\x']],
    ['["tell","a b",""]', ['tell', 'a b', '']],
  ])('%j is %j', (text, found) => {
    expect(words(text, '--notify')).toEqual(found);
  });

  test.each(['', '  ', 'tell "me', "tell 'me", '["tell",1]', '["tell"', '[]'])('%j is refused', (text) => {
    expect(refused(() => words(text, '--notify'))).toMatchObject({ code: 'bad-input', field: '--notify' });
  });
});
