/** Of whose scripts Cancel and Force Kill are offered, and where. */
import { expect, test } from 'vitest';
import { nothingSeen, conclude } from '../../app/agents/looks.ts';
import { recognisers } from '../../app/agents/recognisers/index.ts';
import type { System } from '../../app/agents/recogniser.ts';
import { detailOf } from '../../app/observed/views.ts';
import type { ForeignProcesses, ProcessControl } from '../../app/processes/index.ts';
import { onLinux } from '../agents/fixtures/linux.ts';
import { onWindows } from '../agents/fixtures/windows.ts';
import { look, type Machine } from '../agents/forest-of.ts';

const withVerbs = (system: System): string[] =>
  recognisers.filter((r) => r.systems.includes(system) && r.verbs.includes(system)).map((r) => r.key);

/** What is said of Cancel, of the first script of that agent. */
function cancelOf(machine: Machine, agent: string) {
  const at = Date.UTC(2026, 0, 15, 3, 0);
  const { memory } = conclude(nothingSeen, { at, seenAt: 0, observation: look(machine) }).seen;
  const watched = [...memory.values()].find((w) => w.script.recogniser.key === agent)!;
  const facts = {
    stage: { kind: 'none' },
    through: null,
    attempts: [],
    waiters: [],
    taken: null,
    silentAfterMs: 600_000,
  } as const;
  const control = { platform: machine.system, elevated: true, facts: () => null } as Pick<
    ProcessControl,
    'platform' | 'elevated' | 'facts'
  > as ProcessControl;
  return detailOf({ watched, now: at, ...facts }, { control, foreign: {} as ForeignProcesses, verbsOff: null }).verbs
    .cancel;
}

test('only agents that were tried on real processes have verbs', () => {
  expect(withVerbs('linux').sort()).toEqual([
    'ansible',
    'buildkite',
    'cron',
    'github',
    'gitlab',
    'jenkins',
    'octopus-ssh',
    'ssh',
    'tentacle',
  ]);
  expect(withVerbs('win32').sort()).toEqual(['buildkite', 'github', 'tentacle']);
});

test('a step of Jenkins is cancelled on Linux, and shown only on Windows', () => {
  expect(cancelOf(onLinux['jenkins']!, 'jenkins')).toMatchObject({ possible: true });
  expect(cancelOf(onWindows['jenkins']!, 'jenkins')).toMatchObject({
    possible: false,
    text: expect.stringContaining('Scripts of Jenkins are shown only.'),
  });
});
