/** A start whose answer does not come. The host is a stand-in: one that goes silent in that moment cannot be had. */
import { beforeEach, expect, test, vi } from 'vitest';
import { UnjamError } from '../../app/contract/errors.ts';

const call = vi.fn<(method: string, input: { ticket: string }) => Promise<unknown>>();
vi.mock('../../app/cli/connect.ts', () => ({ connect: async () => ({ call, close: () => undefined }) }));
// That of this process would be carried on by a process of its own, which waits for a script to read it.
vi.mock('../../app/processes/surroundings.ts', () => ({
  ownSurroundings: async () => ({ keep: () => undefined, [Symbol.dispose]: () => undefined }),
}));
const { startScript } = await import('../../app/cli/start-script.ts');

beforeEach(() => void call.mockReset());

test('is an error that names the ticket and says that the script may still start', async () => {
  call.mockRejectedValue(new UnjamError('host-timeout', 'The host did not answer within 15 s.', ''));
  const error = await startScript({ command: ['true'] }).then(() => null, (e: unknown) => e as UnjamError); // prettier-ignore
  const ticket = call.mock.calls[0]?.[1].ticket ?? '';
  expect(ticket).not.toBe('');
  expect(error).toMatchObject({
    code: 'host-timeout',
    message: `The host did not answer within 15 s. The script may still start, with the ticket ${ticket}.`,
    next: expect.stringContaining(`--ticket ${ticket} never runs it twice`) as string,
  });
  expect(call).toHaveBeenCalledTimes(1);
});

test('of a host that has gone is asked of the next one, with the same ticket', async () => {
  call.mockRejectedValueOnce(new UnjamError('host-unreachable', 'It has gone.', '')).mockResolvedValue({ ticket: 't' });
  await startScript({ command: ['true'] });
  const tickets = call.mock.calls.map(([, { ticket }]) => ticket);
  expect([tickets.length, new Set(tickets).size]).toEqual([2, 1]);
});
