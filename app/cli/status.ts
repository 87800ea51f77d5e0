/** `unjam status`: one script in full. */
import type { ScriptDetail } from '../contract/methods.ts';
import { drillScore } from '../domain/drill.ts';
import { isObservedId } from '../domain/observed-id.ts';
import type { Elsewhere } from './command.ts';
import { withHost } from './connect.ts';
import { statusOfObserved } from './observed.ts';
import { block, print, printJson } from './output.ts';

export async function status(ticket: string, options: Elsewhere & { json?: boolean }): Promise<void> {
  if (isObservedId(ticket)) return statusOfObserved(ticket, options);
  const script = await withHost((client) => client.call('scripts.get', { ticket }), options);
  if (options.json) printJson<'status'>(script);
  else print(describe(script));
}

function describe(s: ScriptDetail): string {
  const score = drillScore(s, s.holdsMutex);
  const facts: [string, string | null][] = [
    ['Ticket', s.ticket],
    ['State', `${s.state}${s.verdict === null ? '' : `, ${s.verdict}${s.timeout === null ? '' : ` (${s.timeout})`}`}`],
    ['Exit', s.verdict === null ? null : `${s.signal ?? s.exitCode ?? 'none'} (result code ${s.resultCode})`],
    ['PID', s.process === null ? null : `${s.process.pid} (${s.process.name}, started ${s.process.startedAt})`],
    [
      'Mutex',
      s.mutex === null
        ? null
        : `${s.mutex} (${s.isolation})${s.holdsMutex ? ', held' : ''}${s.fence === null ? '' : `, fence ${s.fence}`}`,
    ],
    [
      'Waits for',
      s.holder === null ? null : `"${s.holder.name}" (${s.holder.ticket}), ${s.queuePosition} of ${s.queueLength}`,
    ],
    ['On it', s.taken === null ? null : `${s.taken.by}, since ${s.taken.since} until ${s.taken.until} at most`],
    ['Created', s.createdAt],
    ['Started', s.startedAt],
    ['Last output', s.lastOutputAt],
    ['Ended', s.endedAt],
    ['Command', s.command.join(' ')],
    ['Folder', s.cwd],
    ['Started by', `${s.actor.user} (${s.actor.via})`],
    ['Run directory', s.runDirectory],
  ];
  return block([
    s.name,
    s.condition.headline,
    ...(score === null ? [] : [score]),
    '',
    ...facts.filter(([, value]) => value !== null).map(([name, value]) => `${name.padEnd(14)} ${value}`),
    ...section('Evidence for "stuck"', s.evidence.for),
    ...section('Evidence against', s.evidence.against),
    ...section(
      'Waiting behind it',
      s.waiters.map((w) => `${w.position}. "${w.name}" (${w.ticket}, ${w.isolation}) since ${w.since}`),
    ),
    ...section(
      'Processes',
      s.processes.map((p) => `${'  '.repeat(p.depth)}${p.pid} ${p.name}, ${p.waits ?? p.state}: ${p.commandLine}`),
    ),
    ...section(
      'Actions so far',
      s.attempts.map((a) => a.text ?? `${a.what} by ${a.actor}`),
    ),
    ...(s.state === 'final' && !s.orphan
      ? []
      : section('Next', [
          `Cancel: ${s.verbs.cancel.text}`,
          `Force Kill: ${s.verbs.kill.text}`,
          `Abandon: ${s.verbs.abandon.text}`,
        ])),
  ]);
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', title, ...items.map((i) => `  ${i}`)];
}
