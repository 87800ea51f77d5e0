import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mask, maskValues, redact, redactWords } from '../../app/domain/redact.ts';

describe('a secret is hidden', () => {
  test.each([
    ['deploy --password hunter2 --env prod', 'deploy --password [hidden] --env prod'],
    ['deploy --password=hunter2', 'deploy --password=[hidden]'],
    ['deploy.ps1 -ApiKey API-ABCDEFGHIJKLMNOPQRSTUVWX12', 'deploy.ps1 -ApiKey [hidden]'],
    ['sqlcmd /pwd hunter2', 'sqlcmd /pwd [hidden]'],
    ['DB_PASSWORD="two words" run', 'DB_PASSWORD=[hidden] run'],
    ['{"token":"abc","n":1}', '{"token":[hidden],"n":1}'],
    ['Server=db;User Id=sa;Password=hunter2;Encrypt=true', 'Server=db;User Id=sa;Password=[hidden];Encrypt=true'],
    ['curl -H "X-Octopus-ApiKey: abc123"', 'curl -H "X-Octopus-ApiKey: [hidden]"'],
    ['curl -H "Accept: Bearer abcdefgh1234"', 'curl -H "Accept: Bearer [hidden]"'],
    ['git clone https://kim:hunter2@example.com/x.git', 'git clone https://kim:[hidden]@example.com/x.git'],
    [
      'https://x.blob.core.windows.net/a?sv=1&sig=abc%3D&se=2',
      'https://x.blob.core.windows.net/a?sv=1&sig=[hidden]&se=2',
    ],
    [`login ${'ghp_'}${'a'.repeat(36)}`, 'login [hidden]'],
    [`jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def`, 'jwt [hidden]'],
  ])('%s', (text, safe) => {
    expect(redact(text)).toBe(safe);
  });

  test('the word behind its option as a whole, also with blanks and quotes in it', () => {
    expect(redactWords(['deploy', '--password', 'a b"c', '--env', 'prod', 'token=x'])).toEqual([
      'deploy',
      '--password',
      '[hidden]',
      '--env',
      'prod',
      'token=[hidden]', // prettier-ignore
    ]);
    expect(redactWords(['x', '--token', '--verbose'])).toEqual(['x', '--token', '--verbose']);
  });
});

test.each([
  'W201 Deploy web [9f2c]: Cancel requested by CONTOSO\\kim (window) at 03:12:50. Sent SIGTERM to 3 processes.',
  'The token is missing or wrong.',
  'Waits for a password prompt.',
  'I101 Waiting for mutex "RunningScript". Held by "Deploy web-eu / step 4" (ticket 9f2c-41aa, PID 7312, Full isolation).',
  'robocopy.exe D:\\Build D:\\Apps /MIR',
])('what is no secret stays: %s', (text) => {
  expect(redact(text)).toBe(text);
});

test('what was named by its variable goes by its value, whatever its form: whole, and each line of it', () => {
  maskValues('run', ['SALT', 'SHORT', 'UNSET'], { SALT: 'one two\nthree three', SHORT: 'ab' });
  expect(redact('salt one two, three three, ab')).toBe('salt [hidden], [hidden], ab');
  expect(mask('one two\nthree three password=x')).toBe('[hidden] password=x');
});

const around = fc.array(fc.constantFrom('deploy', ' ', '--env', 'prod', 'x', '/', '@', ':', ',', '\n', '-', 'ünï'), {
  maxLength: 20,
});

test('it is found whatever stands around it', () => {
  const forms = fc.constantFrom(
    '--password S',
    'password=S',
    'Password: "S T"',
    'https://u:S@h',
    '-Token S',
    "api_key='S'",
  );
  fc.assert(
    fc.property(around, forms, around, (before, form, after) => {
      const text = [...before, ' ', form.replace('S', 'Zk81q'), ' ', ...after].join('');
      expect(redact(text)).not.toContain('Zk81q');
    }),
    { numRuns: 3_000 },
  );
});

test('a long text costs no more than its length', () => {
  for (const piece of ['password', '-', 'x', '"', '://', 'token ', '--token', 'eyJ', ' /', 'a://'])
    expect(typeof redact(piece.repeat(100_000))).toBe('string');
});
