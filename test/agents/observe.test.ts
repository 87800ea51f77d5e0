import { describe, expect, test } from 'vitest';
import { observe } from '../../app/agents/observe.ts';
import { isObservedId } from '../../app/domain/observed-id.ts';
import { recognisers } from '../../app/agents/recognisers/index.ts';
import { look, lookAt, tableOf, type Machine } from './forest-of.ts';
import { onLinux, under } from './fixtures/linux.ts';
import { onWindows } from './fixtures/windows.ts';

const names = (rows: readonly { identity: { name: string } }[]): string[] => rows.map((r) => r.identity.name);

describe.each([
  ['Linux', onLinux],
  ['Windows', onWindows],
] as const)('on %s', (_system, fixtures) => {
  test.each(Object.keys(fixtures))('%s: agent, title, script part, carriers and log are recognised', (key) => {
    const { expect: wanted, ...machine } = fixtures[key]!;
    const found = look(machine);
    const script = found.scripts.find((s) => s.recogniser.name === wanted.agent);
    expect(
      script,
      `no script of ${wanted.agent} in ${JSON.stringify(found.scripts.map((s) => s.title))}`,
    ).toBeDefined();
    expect({
      title: script?.title,
      members: names(script?.members ?? []),
      carriers: names(script?.carriers ?? []),
      log: script?.log?.path,
      mutex: script?.mutex ?? undefined,
    }).toEqual({
      title: wanted.title,
      members: wanted.members,
      carriers: wanted.carriers,
      log: wanted.log,
      mutex: wanted.mutex,
    });
    expect(script?.leftBehind).toBeNull();
    expect(isObservedId(script?.id ?? '')).toBe(true);
    if (wanted.all) expect(found.scripts.map((s) => s.title)).toEqual(wanted.all);
    expect(found.queued.map((q) => q.title)).toEqual(wanted.queued ?? []);
    if (script?.recogniser.agent) expect(found.agents.map((a) => a.name)).toContain(wanted.agent);
  });

  test.each(Object.keys(fixtures))('%s: nothing that was found holds a word of a command line or a secret', (key) => {
    const found = look(fixtures[key]!);
    const shown = JSON.stringify(
      found.scripts.map((s) => [s.title, s.fields, s.log, s.leftBehind, s.user]).concat(found.agents as never),
    );
    expect(shown).not.toMatch(/hunter2|hidden|variablesPassword|OctopusKey|--mir|rsync -a/);
  });

  test.each(Object.keys(fixtures))('%s: only named variables are asked for', (key) => {
    const machine = fixtures[key]!;
    const { rows, answers } = tableOf(machine);
    const allowed = new Set([...recognisers.flatMap((r) => r.variables ?? []), 'UNJAM_RUN', 'UNJAM_TICKET']);
    const { wants } = observe(
      {
        now: 0,
        system: machine.system,
        self: 1,
        table: rows,
        processes: withoutVariables(answers),
        files: {},
        folders: {},
      },
      recognisers,
    );
    const asked = wants.flatMap((w) => (w.kind === 'variables' ? w.names : []));
    expect(asked.filter((name) => !allowed.has(name))).toEqual([]);
  });

  test.each(Object.keys(fixtures))('%s: at most five rounds of questions', (key) => {
    expect(look(fixtures[key]!).rounds).toBeLessThanOrEqual(5);
  });

  test.each(Object.keys(fixtures))('%s: a table in another order gives the same answer', (key) => {
    const machine = fixtures[key]!;
    const { rows, answers } = tableOf(machine);
    const { rounds: _a, ...straight } = lookAt(machine, rows, answers);
    const { rounds: _b, ...turned } = lookAt(machine, [...rows].reverse(), answers);
    expect(turned).toEqual(straight);
  });
});

const withoutVariables = (all: Record<string, object>): Record<string, object> =>
  Object.fromEntries(
    Object.entries(all).map(([key, { variables: _v, ...rest }]: [string, { variables?: unknown }]) => [key, rest]),
  );

test('a machine without agents has no observed scripts', () => {
  const machine: Machine = {
    system: 'linux',
    forest: under(
      { name: 'nginx', words: 'nginx: master', unit: 'nginx.service' },
      { name: 'bash', words: '-bash', below: [{ name: 'npm', words: 'npm run build' }] },
      { name: 'java', words: 'java -jar /srv/shop.jar' },
      { name: 'node', words: 'node server.js' },
    ),
  };
  expect(look(machine).scripts).toEqual([]);
});

test('a Jenkins script whose own shell was killed is left behind, and its heartbeat stays a carrier', () => {
  const { forest, ...machine } = onLinux['jenkins']!;
  const [shell] = forest[0]!.below!.slice(1);
  const orphans = shell!.below!;
  const found = look({ ...machine, forest: under(...orphans) });
  expect(found.scripts).toHaveLength(1);
  expect(names(found.scripts[0]!.members)).toEqual(['sh', 'scp']);
  expect(names(found.scripts[0]!.carriers)).toEqual(['sh']);
});

test('a Jenkins script whose folder is gone is left behind: Jenkins has given up on it', () => {
  const { folders: _folders, files: _files, ...machine } = onLinux['jenkins']!;
  expect(look(machine).scripts[0]?.leftBehind).toMatch(/Jenkins has removed its folder/);
});

test('the step of a runner whose Worker has gone is left behind', () => {
  const { forest, ...machine } = onLinux['github']!;
  const step = forest[0]!.below![0]!.below![0]!.below![0]!;
  const found = look({ ...machine, forest: under({ ...forest[0]!.below![0]!, below: [] }, step) });
  expect(found.scripts.map((s) => [s.title, s.leftBehind !== null, s.carriers.length])).toEqual([
    ['octo/shop / Deploy / web #812', true, 0],
  ]);
});

test('what Unjam supervises is cut out of an observed script, which then names the ticket', () => {
  const { forest, ...machine } = onLinux['buildkite']!;
  const bootstrap = forest[0]!.below![0]!.below![0]!;
  const own = {
    name: 'bash',
    words: 'bash deploy.sh',
    environment: { UNJAM_RUN: '/var/lib/unjam/runs/r-7', UNJAM_TICKET: 't-7' },
  };
  const found = look({
    ...machine,
    forest: under({
      ...forest[0]!.below![0]!,
      below: [{ ...bootstrap, below: [{ ...own, below: [{ name: 'sleep', words: 'sleep 9' }] }] }],
    }),
  });
  expect(found.scripts[0]?.members).toEqual([]);
  expect(found.scripts[0]?.supervised).toEqual([{ runId: 'r-7', ticket: 't-7' }]);
});

test('a user who may not read environments still sees the tree', () => {
  const found = look({ ...onLinux['github']!, blind: true });
  expect(found.scripts[0]).toMatchObject({ title: 'GitHub Actions job', hidden: true });
  expect(names(found.scripts[0]?.members ?? [])).toEqual(['bash', 'docker']);
});

test('commands of one ssh connection are one script', () => {
  const [listener] = onLinux['ssh']!.forest[0]!.below!;
  const [session] = listener!.below![0]!.below!;
  const second = { name: 'rsync-all', words: 'rsync-all', user: 'kim' };
  const shared = { ...session!, below: [...session!.below!, second] };
  const found = look({ ...onLinux['ssh']!, forest: under({ ...listener!, below: [shared] }) });
  expect(found.scripts.map((s) => names(s.members))).toEqual([['bash', 'deploy.sh', 'rsync-all']]);
});

test('a reused pid gives another id', () => {
  const machine = onLinux['github']!;
  const { rows, answers } = tableOf(machine);
  const first = lookAt(machine, rows, answers).scripts[0]?.id;
  const again = rows.map((r) => ({
    ...r,
    identity: { ...r.identity, startTime: String(Number(r.identity.startTime) + 90_000) },
  }));
  const moved = Object.fromEntries(
    Object.values(answers).map((a, i) => [`${again[i]!.identity.pid}:${again[i]!.identity.startTime}`, a]),
  );
  expect(lookAt(machine, again, moved).scripts[0]?.id).not.toBe(first);
});
