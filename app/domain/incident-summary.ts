/** What an operator pastes into the incident: the facts of one script or of all that are in trouble, as plain text. Pure. */
import { fullTime } from './times.ts';
import { visible } from './visible.ts';

/** A script as a list shows it. Times as ISO 8601. */
export interface IncidentScript {
  readonly name: string;
  readonly ticket: string;
  readonly pid: number | null;
  readonly mutex: string | null;
  readonly isolation: string | null;
  readonly holdsMutex: boolean;
  readonly blocks: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly lastOutputAt: string | null;
  readonly condition: { readonly headline: string };
  /** What only a look at this one script tells. */
  readonly evidence?: { readonly for: readonly string[]; readonly against: readonly string[] };
  readonly waiters?: readonly {
    readonly position: number;
    readonly name: string;
    readonly ticket: string;
    readonly since: string;
  }[];
  readonly processes?: readonly {
    readonly depth: number;
    readonly pid: number;
    readonly name: string;
    readonly state: string;
    readonly waits?: string | null | undefined;
    readonly survivor: { readonly detail: string } | null;
  }[];
  readonly attempts?: readonly {
    readonly at: string;
    readonly what: string;
    readonly actor: string;
    readonly text: string | null;
  }[];
}

/** `situation` is a sentence about the whole host, for a summary that may name several scripts or none. */
export function incidentSummary(
  host: { readonly machine: string; readonly at: string; readonly situation?: readonly string[] },
  scripts: readonly IncidentScript[],
): string {
  const when = `${host.machine}, ${fullTime(host.at)}`;
  const situation = host.situation === undefined ? [] : [[when, ...host.situation.filter((line) => line !== '')]];
  const parts = [...situation, ...scripts.map((script) => scriptLines(script, when))];
  return `${parts.map((lines) => lines.map(visible).join('\n')).join('\n\n')}\n`;
}

function scriptLines(script: IncidentScript, when: string): readonly string[] {
  return [
    `${script.name} on ${when}`,
    script.condition.headline,
    '',
    `Ticket: ${script.ticket}`,
    `PID: ${script.pid ?? 'none'}`,
    `Mutex: ${script.mutex ?? 'none'}${script.isolation === null ? '' : ` (${script.isolation} isolation, ${script.holdsMutex ? 'held' : 'not held'})`}`,
    `Blocks: ${script.blocks}`,
    `Created: ${fullTime(script.createdAt)}`,
    `Started: ${script.startedAt === null ? 'not started' : fullTime(script.startedAt)}`,
    `Last output: ${script.lastOutputAt === null ? 'none' : fullTime(script.lastOutputAt)}`,
    ...section('Evidence', script.evidence?.for),
    ...section('Against', script.evidence?.against),
    ...section(
      'Waits behind it',
      script.waiters?.map((w) => `${w.position}. ${w.name} (ticket ${w.ticket}), since ${fullTime(w.since)}`),
    ),
    ...section(
      'Processes',
      script.processes?.map(
        (p) =>
          `${'  '.repeat(p.depth)}${p.pid} ${p.name}: ${p.waits ?? p.state}${p.survivor === null ? '' : `; ${p.survivor.detail}`}`,
      ),
    ),
    ...section(
      'Actions so far',
      script.attempts?.map((a) => `${fullTime(a.at)} ${a.what} by ${a.actor}: ${a.text ?? ''}`),
    ),
  ];
}

function section(title: string, lines: readonly string[] = []): readonly string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `- ${line}`)];
}
