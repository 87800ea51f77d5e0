/** What is watched after the script has gone. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { Forest } from '../../app/agents/forest.ts';
import type { ObservedScript } from '../../app/agents/observed-script.ts';
import { unjam } from '../../app/domain/script.ts';
import { ObservedEnding } from '../../app/observed/ending.ts';
import type { Observer } from '../../app/observed/observer.ts';
import type { ForeignProcesses, ProcessControl } from '../../app/processes/index.ts';
import { look, tableOf } from '../agents/forest-of.ts';
import { onLinux } from '../agents/fixtures/linux.ts';

/** A GitLab job of a user, which has no carrier: the runner reads the output itself, and a daemon keeps that open. */
function machine(agentReads: boolean) {
  const su = onLinux['gitlab']!;
  const runner = su.forest[0]!.below![0]!;
  const fixture = { ...su, forest: [{ ...su.forest[0]!, below: [{ ...runner, below: runner.below![0]!.below! }] }] };
  const table = tableOf(fixture).rows;
  const observation = look(fixture);
  const script: ObservedScript = observation.scripts[0]!;
  const members = new Set(script.members.map((m) => m.identity.pid));
  const daemon = { ...script.root.identity, pid: 4_711, name: 'agentd' };
  let now = 0;
  let gone = false;
  const control = {
    now: () => now,
    liveness: ({ pid }: { pid: number }) => (gone && members.has(pid) ? 'dead' : 'alive'),
  };
  const foreign = {
    interrupt: async () => ((gone = true), { kind: 'sent', what: 'SIGTERM to 3 processes' }),
    services: () => new Set<number>(),
    outputs: () => ['pipe:[1]'],
    writers: () => [daemon],
    reads: () => agentReads,
  };
  const observer = {
    system: 'linux',
    self: 999_999,
    lookNow: () => ({ at: 0, seenAt: now, table, forest: new Forest(table), observation }),
    ofUnjam: () => new Set<string>(),
  };
  const ending = new ObservedEnding(script, {
    control: control as unknown as ProcessControl,
    foreign: foreign as unknown as ForeignProcesses,
    observer: observer as unknown as Observer,
    killDisabled: false,
    settleMs: () => 10_000,
    carrierMs: 15_000,
    changed: () => undefined,
    say: () => undefined,
  });
  onTestFinished(() => ending.close());
  return { ending, daemon, agent: script.agent!.process.identity, pass: (ms: number) => void (now += ms) };
}

test('an agent that reads the output itself is named as the one that waits, and who keeps it open', async () => {
  const { ending, daemon, agent, pass } = machine(true);
  await ending.cancel(unjam, null, 30_000);
  await vi.waitUntil(() => ending.stage.kind === 'ended', { timeout: 20_000 });
  pass(15_000);
  // As long as the row of an ended script stays: it must not be forgotten before this is told.
  expect(ending.isOpen).toBe(true);
  await vi.waitUntil(() => ending.stage.kind === 'carrier-waits', { timeout: 20_000 });
  expect(ending.stage).toMatchObject({ carrier: agent, holders: [daemon] });
});

test('of an agent that does not read the output nobody is said to wait', async () => {
  const { ending, pass } = machine(false);
  await ending.cancel(unjam, null, 30_000);
  await vi.waitUntil(() => ending.stage.kind === 'ended', { timeout: 20_000 });
  pass(15_000);
  await vi.waitUntil(() => !ending.isOpen, { timeout: 20_000 });
});
