/** `npm run lifecycle`: prints the lifecycle table of app/domain/life-table.ts into docs/lifecycle.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lifeEventTypes } from '../app/domain/life-events.ts';
import { lifeTable, type ProcessStage } from '../app/domain/life-table.ts';

const stages: readonly (readonly [ProcessStage, string])[] = [
  ['running', 'its process runs, and nobody ends it'],
  ['signalling', 'the cancel signal is being sent'],
  ['cancelling', 'the signal was sent; the grace period runs'],
  ['ignored', 'the grace period is over, and nothing is forced'],
  ['killing', 'the tree was killed; the proof is awaited'],
  ['unkillable', 'processes survived the kill for the settle time'],
  ['gone', 'no process is left; the clean-up command runs, the mutex is still held'],
  ['final', 'the verdict stands and the mutex is free'],
];

const events: Record<(typeof lifeEventTypes)[number], string> = {
  cancel: 'somebody asks for a Cancel',
  kill: 'somebody asks for a Force Kill',
  limit: 'the overall, the first output or the no-output limit is reached',
  delivered: 'the system has answered whether the signal was sent',
  'grace-over': 'the grace period is over',
  'settle-over': 'the settle time after a kill is over, and processes still live',
  'root-exited': 'the root process has exited',
  tree: 'a look at the tree: who is left',
  abandoned: 'somebody has abandoned the script',
  cleaned: 'the clean-up command has ended',
  concluded: 'verdict written, mutex released',
};

export function lifecyclePage(): string {
  const arrows = new Map<string, Set<string>>();
  for (const event of lifeEventTypes)
    for (const [from] of stages)
      for (const to of lifeTable[event][from].to) {
        const key = `${from} --> ${to}`;
        arrows.set(key, (arrows.get(key) ?? new Set()).add(event));
      }
  const diagram = [...arrows].map(([arrow, by]) => `  ${arrow}: ${[...by].join(', ')}`);
  const sections = lifeEventTypes.map((event) => {
    const rows = stages.map(([stage]) => {
      const { says, to } = lifeTable[event][stage];
      return `| ${stage} | ${says} | ${to.join(', ')} |`;
    });
    return `### \`${event}\`: ${events[event]}\n\n| in stage | what happens | may lead to |\n| --- | --- | --- |\n${rows.join('\n')}`;
  });
  return `# Lifecycle of a script

Printed by \`npm run lifecycle\` from [life-table.ts](../app/domain/life-table.ts); do not edit it by hand. The runner of a
script, the host in place of a runner that died, and \`unjam hold\` carry out this one table. A stage changes only by a
fact that was recorded in the script's \`events.ndjson\`.

## Stages

Before a script has a process it is \`queued\` for its mutex or \`starting\`.

${stages.map(([stage, says]) => `- \`${stage}\`: ${says}.`).join('\n')}

\`\`\`mermaid
stateDiagram-v2
  [*] --> queued
  [*] --> starting
  queued --> starting: granted
  starting --> running: started
${diagram.join('\n')}
  final --> [*]
\`\`\`

## Events

${sections.join('\n\n')}
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(join(import.meta.dirname, '../docs/lifecycle.md'), lifecyclePage());
