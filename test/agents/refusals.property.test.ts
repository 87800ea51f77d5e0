/** Random forests, real and mistaken recognisers: no verb ever reaches an agent, a carrier, Unjam or a stranger. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { above, Forest, isOlder } from '../../app/agents/forest.ts';
import { keyOf, type ProcessAnswers, type Row } from '../../app/agents/known.ts';
import type { Recogniser } from '../../app/agents/recogniser.ts';
import { recognisers } from '../../app/agents/recognisers/index.ts';
import { refusal, type RefusalFacts } from '../../app/agents/refusals.ts';
import { lookAt, tableOf } from './forest-of.ts';
import { onLinux } from './fixtures/linux.ts';
import { onWindows } from './fixtures/windows.ts';

/** Names and words as agents have them, and some that have nothing to do with any. */
const vocabulary = Object.values({ ...onLinux, ...onWindows }).flatMap((fixture) => {
  const { rows, answers } = tableOf(fixture);
  return rows.map((r) => ({ name: r.identity.name, answers: answers[keyOf(r.identity)]! }));
});
const strangers = [
  'bash',
  'vi',
  'nginx',
  'postgres',
  'explorer.exe',
  'sqlservr.exe',
  'lsass.exe',
  'dockerd',
  'unjam',
].map((name) => ({ name, answers: { words: name, variables: {}, unit: null, user: 'kim' } as ProcessAnswers }));

interface World {
  readonly system: 'linux' | 'win32';
  readonly rows: readonly Row[];
  readonly answers: Readonly<Record<string, ProcessAnswers>>;
  readonly self: number;
}

/** Parents of any kind: also such that came later, are gone, or stand in a ring. */
const world: fc.Arbitrary<World> = fc
  .record({
    system: fc.constantFrom('linux' as const, 'win32' as const),
    processes: fc.array(
      fc.record({
        what: fc.constantFrom(...vocabulary, ...strangers),
        parent: fc.nat(40),
        start: fc.nat(30),
        run: fc.constantFrom(undefined, undefined, undefined, 'none', '/runs/r-1'),
        terminal: fc.boolean(),
      }),
      { minLength: 1, maxLength: 36 },
    ),
    self: fc.nat(36),
  })
  .map(({ system, processes, self }) => {
    const answers: Record<string, ProcessAnswers> = {};
    const rows = processes.map((p, i): Row => {
      const pid = i + 1;
      const identity = {
        machine: 'm',
        bootId: 'b',
        pidNamespace: 'host',
        pid,
        // Of different length, as times of Windows never are but ticks of Linux are.
        startTime: String(95 + p.start),
        startedAt: 0,
        name: p.what.name,
      };
      const variables = p.what.answers.variables;
      answers[keyOf(identity)] = {
        ...p.what.answers,
        variables: variables == null ? null : { ...variables, ...(p.run === undefined ? {} : { UNJAM_RUN: p.run }) },
      };
      return {
        identity,
        parentPid: p.parent,
        session: p.terminal ? pid : 1,
        terminal: p.terminal,
        cpuMs: 0,
        state: 'sleeping',
      };
    });
    return { system, rows, answers, self: self + 1 };
  });

const anything: Recogniser = {
  key: 'anything',
  name: 'a recogniser that takes everything for a script',
  systems: ['linux', 'win32'],
  run: { place: 'anywhere' },
  titles: ['?'],
  verbs: ['linux', 'win32'],
  ended: '',
  instead: '',
};
const everyChild: Recogniser = {
  ...anything,
  key: 'every-child',
  agent: { names: ['systemd', 'bash', 'svchost'] },
  run: { place: 'child' },
};
const sets: readonly (readonly Recogniser[])[] = [
  recognisers,
  [...recognisers, anything],
  [anything],
  [everyChild],
  [everyChild, ...recognisers],
];

const agentNames =
  /^(?:tentacle|runner\.(?:listener|worker)|agent\.(?:listener|worker)|gitlab-runner|amazon-ssm-agen.*|ssm-.*|calamari.*|cron|sshd|systemd|svchost|services|lsass|explorer|nssm|unjam)(?:\.exe)?$/i;

function check(w: World, rules: readonly Recogniser[]): { permitted: number } {
  const observation = lookAt({ system: w.system, forest: [] }, w.rows, w.answers, rules);
  const forest = new Forest(w.rows);
  const ofUnjam = new Set(Object.entries(w.answers).flatMap(([key, a]) => (a.variables?.['UNJAM_RUN'] ? [key] : [])));
  const self = forest.byPid(w.self);
  const mine = new Set(self === null ? [] : [self, ...above(self)]);
  let permitted = 0;
  for (const script of observation.scripts) {
    const facts: RefusalFacts = {
      system: w.system,
      forest,
      observation,
      script,
      self: w.self,
      ofUnjam,
      services: new Set([3]),
    };
    for (const row of w.rows) {
      if (refusal(row, facts) !== null) continue;
      permitted += 1;
      const { pid, name } = row.identity;
      const node = forest.byPid(pid)!;
      expect(pid, 'part of the system').toBeGreaterThan(w.system === 'win32' ? 4 : 2);
      expect(name, 'an agent, a carrier or a part of the system, by name').not.toMatch(agentNames);
      expect(
        observation.agents.map((a) => a.process.identity.pid),
        'a recognised agent',
      ).not.toContain(pid);
      expect(
        observation.scripts.flatMap((s) => s.carriers.map((c) => c.identity.pid)),
        'a carrier',
      ).not.toContain(pid);
      expect(mine.has(node), 'Unjam, or what it stands on').toBe(false);
      expect(ofUnjam.has(keyOf(row.identity)), 'supervised by Unjam').toBe(false);
      expect(pid, 'a service').not.toBe(3);
      expect(isOlder(row, script.root), 'older than the script').toBe(false);
      const roots = new Set(script.roots.map((r) => r.identity.pid));
      expect(
        [node, ...above(node)].some((n) => roots.has(n.row.identity.pid)),
        'a stranger: not below the root',
      ).toBe(true);
    }
  }
  return { permitted };
}

test.each(sets.map((rules, i) => [i, rules] as const))(
  'set %i of recognisers: only the script part may be signalled',
  (_i, rules) => {
    let permitted = 0;
    fc.assert(
      fc.property(world, (w) => {
        permitted += check(w, rules).permitted;
      }),
      { numRuns: 400 },
    );
    expect(permitted, 'a property over nothing proves nothing').toBeGreaterThan(0);
  },
);

test('a process is in one observed script at most', () => {
  fc.assert(
    fc.property(world, (w) => {
      const { scripts } = lookAt({ system: w.system, forest: [] }, w.rows, w.answers);
      const seen = scripts.flatMap((s) => s.members.map((m) => m.identity.pid));
      expect(new Set(seen).size).toBe(seen.length);
    }),
    { numRuns: 400 },
  );
});

test('the order of the table changes nothing', () => {
  fc.assert(
    fc.property(world, (w) => {
      const { rounds: _a, ...straight } = lookAt({ system: w.system, forest: [] }, w.rows, w.answers);
      const { rounds: _b, ...turned } = lookAt({ system: w.system, forest: [] }, [...w.rows].reverse(), w.answers);
      expect(turned).toEqual(straight);
    }),
    { numRuns: 200 },
  );
});
