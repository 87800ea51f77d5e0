/** What `unjam cancel` and `unjam kill` tell when the script ends before they have looked once. */
import { expect, test } from 'vitest';
import { outcomeOf } from '../../app/cli/outcome.ts';

test('the line that tells the outcome is told, though the script is final at the first look', async () => {
  const script = { state: 'final', orphan: false, verdict: 'killed', condition: { key: 'killed' } };
  const pages = [
    { entries: [{ code: 'W211', text: 'Force Kill requested.' }], next: 1, complete: false },
    { entries: [{ code: 'I212', text: '1 of 1 process ended.' }], next: 2, complete: true },
  ];
  const client = { call: async (method: string) => (method === 'scripts.get' ? script : pages.shift()) };
  const host = { outlast: (act: (c: unknown) => unknown) => act(client) };
  const told: string[] = [];
  const outcome = await outcomeOf(host as never, 'kill', 't', 0, (line) => told.push(line));
  expect(outcome).toMatchObject({ isDone: true, script: { verdict: 'killed' } });
  expect(told).toEqual(['W211 Force Kill requested.', 'I212 1 of 1 process ended.']);
});
