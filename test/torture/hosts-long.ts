/**
 * The torture of hosts.test.ts with as many host kills as you like: npm run torture -- hosts [kills, 1000 when
 * absent]. Rounds of half a minute, each in a state directory of its own; each must leave nothing behind.
 */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { World } from '../support/world.ts';
import { hostsChaos } from './hosts-chaos.ts';

const kills = Number(process.argv[2] ?? 1_000);
const faults = { lost: 0, duplicated: 0, wrong: 0, completions: 0, leftProcesses: 0 };
const seen = { hostKills: 0, acknowledged: 0, callerKills: 0, freezes: 0, repeated: 0 };
const began = performance.now();
while (seen.hostKills < kills) {
  const { home, tally } = await round();
  const left = await leftProcesses(home);
  seen.hostKills += tally.hostKills;
  seen.acknowledged += tally.acknowledged;
  seen.callerKills += tally.callerKills;
  seen.freezes += tally.freezes;
  seen.repeated += tally.repeated;
  faults.leftProcesses += left.length;
  for (const key of ['lost', 'duplicated', 'wrong', 'completions'] as const) {
    faults[key] += tally[key].length;
    if (tally[key].length > 0) process.stdout.write(`${key}: ${tally[key].join(' ')}\n`);
  }
  if (left.length > 0) process.stdout.write(`left: ${left.join(' ')}\n`);
  const s = Math.round((performance.now() - began) / 1_000);
  process.stdout.write(`${s} s: ${JSON.stringify({ ...faults, ...seen })}\n`);
}
const clean = Object.values(faults).every((n) => n === 0) && seen.acknowledged > 0;
process.stdout.write(clean ? 'CLEAN\n' : 'FAULTS\n');
process.exit(clean ? 0 : 1); // a process that would go on is a fault of this script, not a reason to wait

async function round() {
  await using world = await World.empty();
  const completed = 'echo "$UNJAM_TICKET $UNJAM_COMPLETION_ID" >> "$(dirname "$0")/completed"\n';
  writeFileSync(join(world.home, 'completed.sh'), completed);
  const often = { killHostEveryMs: 200 + Math.random() * 1_500, freezeEveryMs: 500 + Math.random() * 3_000 };
  return { home: world.home, tally: await hostsChaos(world, { seconds: 30, callers: 4, ...often }) };
}

/** Processes that still work in the state directory, or carry its name: pid and command line. */
async function leftProcesses(home: string): Promise<string[]> {
  const found = (): string[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && belongs(name))
      .map((pid) => `${pid} ${read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')}`);
  const belongs = (pid: string): boolean =>
    read(() => readlinkSync(`/proc/${pid}/cwd`)).startsWith(home) ||
    read(() => readFileSync(`/proc/${pid}/environ`, 'utf8')).includes(home);
  // A warm runner ends as soon as it hears that its host has gone.
  for (const until = performance.now() + 5_000; found().length > 0 && performance.now() < until;) await delay(50);
  return found();
}

function read(act: () => string): string {
  try {
    return act();
  } catch {
    return ''; // it has gone
  }
}
