/** Plain text for a ticket or a chat: what is stuck, what it blocks, on which machine, as of when. */
import type { Snapshot } from '../app/contract/methods.ts';
import { count, plain } from '../app/domain/plain.ts';

export function incidentSummary(snapshot: Snapshot): string {
  const troubled = snapshot.scripts.filter((script) => script.stuck || script.orphan);
  return [
    `${snapshot.machine}, ${snapshot.at}`,
    plain(snapshot.overview.sentence, 500),
    ...(snapshot.overview.detail === '' ? [] : [plain(snapshot.overview.detail, 500)]),
    ...troubled.map((script) =>
      [
        `- ${plain(script.name)} (ticket ${script.ticket}${script.pid === null ? '' : `, PID ${script.pid}`})`,
        plain(script.condition.headline, 300),
        ...(script.mutex === null ? [] : [`mutex "${plain(script.mutex)}"`]),
        ...(script.blocks === 0 ? [] : [`blocks ${count(script.blocks, 'script')}`]),
        ...(script.startedAt === null ? [] : [`started ${script.startedAt}`]),
      ].join('; '),
    ),
  ].join('\n');
}
