/** A script whose runner is dead: what the host concludes from its files and processes, and that it takes it over once. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { limits } from '../../app/domain/limits.ts';
import type { ScriptSpec } from '../../app/domain/script.ts';
import { Journal } from '../../app/journal/journal.ts';
import { Mutexes } from '../../app/locks/index.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { Completions } from '../../app/scripts/completions.ts';
import { Custody } from '../../app/scripts/custody.ts';
import { ScriptRecord } from '../../app/scripts/record.ts';
import { Register } from '../../app/scripts/register.ts';
import { kim, specOf, verdict } from '../support/fake-domain.ts';
import { temporaryFolder } from '../support/fake-home.ts';
import { Machine, SimulatedScript } from '../support/simulated-script.ts';

type Stage = 'accepted' | 'queued' | 'running' | 'exited' | 'decided';
const steps: Record<Stage, number> = { accepted: 0, queued: 1, running: 4, exited: 6, decided: 7 };

/** A host's custody with one script under the mutex "web", and its runner, which has come to `stage`. */
async function world(stage: Stage, changes: Partial<ScriptSpec> = {}) {
  const home = temporaryFolder();
  mkdirSync(join(home, 'runs'));
  const machine = new Machine();
  const control = machine.control();
  const journal = new Journal(join(home, 'journal.sqlite'), () => undefined);
  const completions = new Completions(
    () => undefined,
    String,
    () => Promise.resolve(null),
  );
  const register = new Register(journal, () => undefined, completions);
  const mutexes = new Mutexes(join(home, 'mutexes'), control);
  const custody = new Custody({ register, control, mutexes, killDisabled: false, log: () => undefined });
  onTestFinished(() => {
    custody.close();
    register.close();
    journal.close();
  });
  const directory = new RunDirectory(join(home, 'runs', 't'));
  directory.create();
  const spec = specOf('t', { isolation: { level: 'full', mutex: 'web', timeoutMs: null }, ...changes });
  await directory.writeSpec(spec);
  const mutex = mutexes.open('web');
  const script = new SimulatedScript(machine, directory, spec, mutex);
  for (let i = 0; i < steps[stage]; i += 1) {
    if (script.running && stage !== 'running') script.exits();
    await script.step();
  }
  const record = ScriptRecord.load(directory.path, () => true)!;
  register.add(record);
  register.refresh(record);
  const look = (): boolean => {
    register.refresh(record);
    return custody.look(record);
  };
  const codes = (): string[] => journal.list({}).flatMap(({ code }) => code ?? []);
  const untilFree = () => expect.poll(() => mutex.read().holders, { timeout: 10_000 }).toEqual([]);
  return { machine, directory, mutex, script, record, custody, look, codes, untilFree };
}

test.each<Stage>(['queued', 'running', 'exited', 'decided'])(
  'a script that is %s belongs to its living runner',
  async (stage) => {
    const { custody, look, record, directory } = await world(stage);
    expect([look(), custody.has(record), custody.finish(record)]).toEqual([false, false, false]);
    expect(directory.readTree()).toBeNull();
  },
);

test('a script that nobody took over has a minute; then it is claimed for nobody, so that a late runner stops', async () => {
  const young = await world('accepted');
  expect([young.look(), young.directory.readVerdict()]).toEqual([false, null]);
  const old = await world('accepted', { createdAt: Date.now() - limits.startMs - 1_000 });
  old.look();
  expect(old.directory.readVerdict()).toMatchObject({ kind: 'never-started' });
  await old.script.step();
  await old.script.step();
  expect([old.script.acknowledged, old.script.runs]).toEqual([false, 0]);
});

test('a script whose runner dies before its first instruction never starts, and the reaper frees its mutex', async () => {
  const { script, look, directory, mutex } = await world('queued');
  script.crash();
  look();
  expect(directory.readVerdict()).toMatchObject({
    kind: 'never-started',
    detail: 'its runner died before the script was started',
  });
  await mutex.reap();
  expect(mutex.read().holders).toEqual([]);
});

test('a running script is taken over once, keeps its mutex, and its end is known without its exit code', async () => {
  const { script, look, custody, record, directory, mutex, codes, untilFree } = await world('running');
  script.crash();
  expect([look(), look(), look()]).toEqual([true, false, false]);
  expect([custody.has(record), mutex.read().holders.length]).toEqual([true, 1]);
  expect(codes().filter((code) => code === 'W304')).toHaveLength(1);
  script.exits();
  await expect.poll(() => directory.readVerdict(), { timeout: 10_000 }).toMatchObject({ kind: 'lost', exitCode: null });
  await untilFree();
  expect(directory.readTree()).toMatchObject({ left: [] });
  expect(custody.has(record)).toBe(false);
});

test('Force Kill of a script that was taken over ends its process and says so', async () => {
  const { script, look, custody, record, directory, machine, codes, untilFree } = await world('running');
  script.crash();
  look();
  custody.handle(record, { verb: 'kill', id: 'k', at: 0, actor: kim, reason: null, evidence: [] });
  await expect.poll(() => directory.readVerdict(), { timeout: 10_000 }).toMatchObject({ kind: 'killed', actor: kim });
  await untilFree();
  expect(codes()).toContain('W211');
  expect([machine.foreign, script.running]).toEqual([[], false]);
});

test('the exit code that the runner had written is the verdict', async () => {
  const { script, look, directory, untilFree } = await world('exited');
  script.crash();
  look();
  expect(directory.readVerdict()).toMatchObject({ kind: 'exited', exitCode: 7 });
  await untilFree();
});

test('what the runner had begun is the verdict, also when it died before it could say so', async () => {
  const { script, look, directory } = await world('running');
  script.begin('cancel');
  await script.step();
  await script.step();
  script.crash();
  look();
  expect(directory.readVerdict()).toMatchObject({ kind: 'cancelled', exitCode: 7 });
});

test('after a reboot the script is lost, and a stranger under its pid is named and not touched', async () => {
  const { machine, record, look, directory, codes, untilFree } = await world('running');
  machine.reboot();
  const pid = record.started?.scope.root.pid ?? 0;
  expect(machine.begin('stranger', false, pid - 2).pid).toBe(pid);
  look();
  expect(directory.readVerdict()).toMatchObject({ kind: 'lost', detail: 'the machine was restarted while it ran' });
  expect(codes()).toContain('W303');
  await untilFree();
  expect([machine.foreign, machine.identify(pid)?.name]).toEqual([[], 'stranger']);
});

test('the runner died between verdict and tree.json: the folder is closed, and the mutex is free', async () => {
  const { script, record, custody, directory, untilFree } = await world('decided');
  script.crash();
  expect([custody.finish(record), custody.finish(record)]).toEqual([true, false]);
  expect(directory.readTree()).toMatchObject({ left: [] });
  await untilFree();
});

test('an orphan whose runner died stays abandoned when it ends', async () => {
  const { script, look, directory, codes } = await world('running');
  directory.writeVerdict(verdict({ kind: 'abandoned', exitCode: null, actor: kim }));
  script.crash();
  look();
  script.exits();
  await expect.poll(() => directory.readTree(), { timeout: 10_000 }).not.toBeNull();
  expect(directory.readVerdict()).toMatchObject({ kind: 'abandoned' });
  expect(codes()).toContain('W225');
});

test('the first output limit goes on for a script that has been mute for its whole life, and only for it', async () => {
  const timeouts = { overallMs: null, firstOutputMs: 60_000, noOutputMs: null };
  const spoken = await world('running', { timeouts });
  writeFileSync(join(spoken.directory.path, 'stdout.log'), 'up\n');
  const mute = await world('running', { timeouts });
  for (const { script, look } of [spoken, mute]) {
    script.crash();
    look();
  }
  await expect
    .poll(() => mute.directory.readVerdict(), { timeout: 10_000 })
    .toMatchObject({ kind: 'timed-out', timeout: 'first-output' });
  expect([spoken.script.running, spoken.directory.readVerdict()]).toEqual([true, null]);
});
