/** What an operator pastes into the incident: the facts of one script as plain text. Pure. */
import type { ScriptDetail, ScriptView, Snapshot } from '../contract.ts';
import { fullTime } from '../words/times.ts';
import { visible } from '../words/visible.ts';

export function rowText(view: ScriptView): string {
  return [
    view.condition.label,
    `blocks ${view.blocks}`,
    view.name,
    `PID ${view.pid ?? 'none'}`,
    view.mutex ?? 'no mutex',
    `ticket ${view.ticket}`,
  ]
    .map(visible)
    .join('\t');
}

export function incidentSummary(detail: ScriptDetail, snapshot: Snapshot): string {
  const lines = [
    `${detail.name} on ${snapshot.machine}, ${fullTime(snapshot.at)}`,
    detail.condition.headline,
    '',
    `Ticket: ${detail.ticket}`,
    `Mutex: ${detail.mutex ?? 'none'}${detail.isolation === null ? '' : ` (${detail.isolation} isolation, ${detail.holdsMutex ? 'held' : 'not held'})`}`,
    `Blocks: ${detail.blocks}`,
    `Created: ${fullTime(detail.createdAt)}`,
    `Started: ${detail.startedAt === null ? 'not started' : fullTime(detail.startedAt)}`,
    `Last output: ${detail.lastOutputAt === null ? 'none' : fullTime(detail.lastOutputAt)}`,
    ...section('Evidence', detail.evidence.for),
    ...section('Against', detail.evidence.against),
    ...section(
      'Waits behind it',
      detail.waiters.map((w) => `${w.position}. ${w.name} (ticket ${w.ticket}), since ${fullTime(w.since)}`),
    ),
    ...section(
      'Processes',
      detail.processes.map(
        (p) =>
          `${'  '.repeat(p.depth)}${p.pid} ${p.name}: ${p.state}${p.survivor === null ? '' : `; ${p.survivor.detail}`}`,
      ),
    ),
    ...section(
      'Actions so far',
      detail.attempts.map((a) => `${fullTime(a.at)} ${a.what} by ${a.actor}: ${a.text ?? ''}`),
    ),
  ];
  return `${lines.map(visible).join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `- ${line}`)];
}
