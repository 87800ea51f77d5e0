/** Who may be signalled: of every fixture only the script part, and what an earlier signal has parted from it. */
import { describe, expect, test } from 'vitest';
import { Forest, type Node } from '../../app/agents/forest.ts';
import type { Row } from '../../app/agents/known.ts';
import { refusal, type RefusalFacts } from '../../app/agents/refusals.ts';
import { onLinux } from './fixtures/linux.ts';
import { onWindows } from './fixtures/windows.ts';
import { look, lookAt, type Machine, tableOf } from './forest-of.ts';

const nobody = { self: 999_999, ofUnjam: new Set<string>(), services: new Set<number>() };

describe.each([
  ['Linux', onLinux],
  ['Windows', onWindows],
] as const)('on %s', (_system, fixtures) => {
  test.each(Object.entries(fixtures))('%s: only the script part may be signalled', (_key, machine) => {
    const { rows } = tableOf(machine);
    const { system } = machine;
    const observation = look(machine);
    for (const script of observation.scripts) {
      const facts: RefusalFacts = { system, forest: new Forest(rows), observation, script, ...nobody };
      const permitted = rows.filter((row) => refusal(row, facts) === null).map((row) => row.identity.pid);
      expect(permitted).toEqual(script.members.map((m) => m.identity.pid).sort((a, b) => a - b));
    }
  });
});

/** Cancel has ended the shell that cron has started, and what stands below it is a child of init now. */
function afterTheShell(machine: Machine, shell: string): { refused: (name: string, aims: string) => string | null } {
  const { rows, answers } = tableOf(machine);
  const before = lookAt(machine, rows, answers);
  const [script] = before.scripts;
  const ended = rows.find((r) => r.identity.name === shell)!.identity.pid;
  const left = rows
    .filter((r) => r.identity.pid !== ended)
    .map((r): Row => (r.parentPid === ended ? { ...r, parentPid: 1 } : r));
  const facts: RefusalFacts = {
    system: 'linux',
    forest: new Forest(left),
    observation: lookAt(machine, left, answers),
    script: script!,
    ...nobody,
  };
  const named = (name: string): Row => left.find((r) => r.identity.name === name)!;
  return {
    refused: (name, aims) =>
      refusal(named(name), facts, (node: Node) => node.row.identity.pid === named(aims).identity.pid),
  };
}

const withChild: Machine = {
  ...onLinux['cron']!,
  forest: [
    {
      name: 'systemd',
      words: '/sbin/init',
      below: [
        {
          name: 'cron',
          words: '/usr/sbin/cron -f',
          below: [
            {
              name: 'cron',
              words: '/usr/sbin/CRON -f',
              below: [
                {
                  name: 'sh',
                  words: '/bin/sh -c /usr/local/bin/backup; true',
                  below: [
                    { name: 'backup', words: 'backup', below: [{ name: 'tar', words: 'tar' }] },
                    { name: 'other', words: 'other' },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
  ],
};

test('what Cancel was for, and what stands below it, may be signalled after the shell above it has ended', () => {
  const { refused } = afterTheShell(withChild, 'sh');
  expect(refused('backup', 'backup')).toBeNull();
  expect(refused('tar', 'backup')).toBeNull();
  expect(refused('other', 'backup')).toMatch(/is not below the script's root/);
});

test('a carrier and an agent stay refused, whatever a signal was for before', () => {
  const { refused } = afterTheShell(withChild, 'sh');
  expect(refused('cron', 'cron')).toMatch(/is never ended by Unjam/);
  expect(refused('systemd', 'systemd')).toMatch(/is a part of the system/);
});
