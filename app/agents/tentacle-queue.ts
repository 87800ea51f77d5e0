/**
 * Scripts that wait in Tentacle have no process: only a folder `Work/<ticket>` with `scriptstate.json` (state 0) and an
 * `Output.log` that names mutex, level and task.
 */
import type { Asking } from './asking.ts';
import type { ObservedScript, QueuedScript, RecognisedAgent } from './observed-script.ts';

const foldersMax = 200;

export function tentacleQueue(
  ask: Asking,
  scripts: readonly ObservedScript[],
  agents: readonly RecognisedAgent[],
): QueuedScript[] {
  const own = scripts.filter((s) => s.recogniser.queue === 'tentacle');
  const homes = new Set(own.flatMap((s) => s.fields['home'] ?? []));
  if (agents.some((a) => a.key === 'tentacle')) for (const home of usualHomes(ask)) homes.add(home);
  const queued: QueuedScript[] = [];
  for (const home of homes) {
    const slash = home.includes('\\') ? '\\' : '/';
    const work = `${home}${slash}Work`;
    const running = new Set(own.filter((s) => s.fields['home'] === home).map((s) => s.fields['ticket']));
    for (const ticket of (ask.folder(work) ?? []).slice(-foldersMax)) {
      if (running.has(ticket)) continue;
      const state = ask.file(`${work}${slash}${ticket}${slash}scriptstate.json`, true);
      if (state === undefined || state === null || state === 'unreadable') continue;
      if (!/"State"\s*:\s*(0|"Pending")\b/i.test(state.head ?? '')) continue;
      const log = ask.file(`${work}${slash}${ticket}${slash}Output.log`, true);
      if (log === undefined || log === null || log === 'unreadable' || log.head === null) continue;
      const { mutex, level, task } = isolationIn(log.head);
      if (mutex === undefined || !/Waiting for the script/i.test(log.head)) continue;
      const holder = own.find((s) => s.fields['home'] === home && s.mutex === mutex);
      queued.push({
        id: ticket,
        agentKey: 'tentacle',
        title: task === undefined ? ticket : `Octopus ${task}`,
        mutex,
        isolation: level === 'NoIsolation' ? 'none' : 'full',
        since: state.changedAt,
        behind: holder?.id ?? null,
      });
    }
  }
  return queued;
}

function usualHomes(ask: Asking): string[] {
  const [root, slash] = ask.known.system === 'win32' ? ['C:\\Octopus', '\\'] : ['/etc/octopus', '/'];
  const entries = ask.folder(root) ?? [];
  const instances = entries.filter((e) => !e.includes('.') && e !== 'Work').map((e) => `${root}${slash}${e}`);
  return [...(entries.includes('Work') ? [root] : []), ...instances];
}

/** `Acquiring isolation mutex RunningScript with FullIsolation in ServerTasks-12`, the first line of Output.log. */
export function isolationIn(head: string): Record<string, string> {
  const found = /Acquiring isolation mutex (?<mutex>.{1,128}?) with (?<level>\w+) in (?<task>[\w-]+)/.exec(head);
  return { ...found?.groups };
}
