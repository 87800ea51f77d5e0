/** Whatever arrives on the doors of a host: 3,000 random and mutated requests; fuzz-long.ts sends as many as you like. */
import { expect, test } from 'vitest';
import { fuzz } from './fuzz-chaos.ts';
import { wrongAnswer, wrongReply } from './fuzz-oracle.ts';
import { Dice } from './dice.ts';
import { type Request, validRequest } from './fuzz-requests.ts';

test.runIf(process.platform === 'linux')(
  'no request crashes a host, does what its sender may not, or is answered with what is not of the contract',
  async () => {
    const report = await fuzz(3_000);
    const { crashes, effects, malformed, ...figures } = report;
    console.log(JSON.stringify(figures));
    expect([...crashes, ...effects, ...malformed].join('\n')).toBe('');
    expect(report.carriedOut).toBeGreaterThan(100);
    expect(report.inUse.at(-1)).toBeLessThan((report.inUse[0] ?? 0) + 10);
    expect(report.descriptors[1]).toBeLessThan(report.descriptors[0] + 20);
  },
);

test('the oracle finds answers that are not of the contract', () => {
  const request: Request = validRequest('locks.list', {}, new Dice(1));
  const answer = (status: number, body: unknown): string => {
    const text = JSON.stringify(body);
    return `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  };
  expect(wrongAnswer(request, answer(200, { ok: true, value: [] }))).toBeNull();
  expect(wrongAnswer(request, answer(500, { ok: true, value: [] }))).toContain('status');
  expect(wrongAnswer(request, answer(200, { ok: true, value: [{}] }))).toContain('not of the contract');
  expect(wrongAnswer(request, '')).toBe('hung up');
  expect(wrongAnswer({ ...request, wellFormed: false }, '')).toBeNull();
  const refusal = { code: 'forbidden', message: 'No.', next: 'Ask.' };
  expect(wrongReply('locks.list', { ok: false, error: refusal })).toBeNull();
  for (const more of [{ code: 'internal' }, { code: 'x' }, { message: '' }, { stack: 'at' }])
    expect(wrongReply('locks.list', { ok: false, error: { ...refusal, ...more } })).not.toBeNull();
});
