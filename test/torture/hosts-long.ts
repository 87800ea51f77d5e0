/** The torture of hosts.test.ts for as long as you like: node test/torture/hosts-long.ts [seconds] */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { World } from '../support/world.ts';
import { hostsChaos } from './hosts-chaos.ts';

const seconds = Number(process.argv[2] ?? 300);
let faults = 0;
for (let done = 0; done < seconds; done += 30) {
  await using world = await World.empty();
  writeFileSync(
    join(world.home, 'completed.sh'),
    'echo "$UNJAM_TICKET $UNJAM_COMPLETION_ID" >> "$(dirname "$0")/completed"\n',
  );
  const options = { killHostEveryMs: 200 + Math.random() * 1_500, freezeEveryMs: 500 + Math.random() * 3_000 };
  const tally = await hostsChaos(world, { seconds: Math.min(30, seconds - done), callers: 4, ...options });
  faults += [tally.lost, tally.duplicated, tally.wrong, tally.completions].flat().length;
  process.stdout.write(`${done} s: ${JSON.stringify(tally)}\n`);
}
process.exitCode = faults === 0 ? 0 : 1;
