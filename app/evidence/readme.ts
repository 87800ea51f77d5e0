/** The first page of a bundle: what was stuck, why, since when, and what is in the files beside it. Pure. */
import type { Diagnosis, ScriptDetail } from '../contract/methods.ts';
import { redact, redactWords } from '../domain/redact.ts';
import { fullTime } from '../domain/times.ts';
import { visible } from '../domain/visible.ts';

export interface BundleFacts {
  readonly at: number;
  readonly machine: string;
  readonly version: string;
  /** "kim (cli)". */
  readonly by: string;
  /** "before Force Kill"; null when a person asked for it. */
  readonly occasion: string | null;
  readonly script: ScriptDetail;
  /** Null for a script of Unjam. */
  readonly agent: string | null;
  /** Null when it was not ready in time, or nothing lives. */
  readonly diagnosis: Diagnosis | null;
  readonly files: readonly {
    readonly name: string;
    readonly about: string;
    readonly isThere: boolean;
    readonly missing: string | null;
  }[];
}

export function readme(f: BundleFacts): string {
  const { script: s, agent, diagnosis } = f;
  const isOver = s.state === 'final' && !s.orphan;
  const facts: [string, string | null][] = [
    [agent === null ? 'Ticket' : 'Id', s.ticket],
    ['Host', f.machine],
    ['Command', agent === null ? redactWords(s.command).join(' ') : null],
    ['Folder', agent === null ? s.cwd : null],
    ['Started by', agent === null ? `${s.actor.user} (${s.actor.via})` : `${agent}, as ${s.actor.user}`],
    ['PID', s.pid !== null ? String(s.pid) : agent === null ? 'has not started' : 'has gone'],
    ['Started', time(s.startedAt)],
    ['Last output', time(s.lastOutputAt)],
    ['Ended', time(s.endedAt)],
    [
      'Mutex',
      s.mutex === null
        ? 'none'
        : `${s.mutex} (${s.isolation ?? 'level unknown'}${s.holdsMutex ? ', held' : ''})${agent === null ? '' : ` of ${agent}`}`,
    ],
    [
      'Waits for',
      s.holder === null ? null : `"${s.holder.name}" (ticket ${s.holder.ticket}, PID ${s.holder.pid ?? 'unknown'})`,
    ],
  ];
  const missing = f.files.filter((file) => file.missing !== null);
  return `${[
    `# ${s.name}`,
    '',
    `**${s.condition.headline}**`,
    '',
    `Evidence of ${fullTime(new Date(f.at).toISOString())}, saved by ${f.by}${f.occasion === null ? '' : ` ${f.occasion}`}${isOver ? ', after the script had ended' : ', while its processes were still there'}. Secrets that could be recognised are hidden; look through the files before you pass them on.`,
    '',
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`- ${name}: ${value}`])),
    ...section(s.stuck ? 'Why it counts as stuck' : 'Evidence that it is stuck', s.evidence.for),
    ...section('Evidence against', s.evidence.against),
    ...section(
      'What it waited for',
      diagnosis?.findings.flatMap((one) => [one.text, ...one.evidence.map((fact) => `  - ${fact}`)]) ?? [],
    ),
    ...section(
      'Who waited for it',
      s.waiters.map((w) => `${w.position}. "${w.name}" (ticket ${w.ticket}, ${w.isolation}), since ${fullTime(w.since)}`),
    ),
    ...section(
      'Processes',
      s.processes.map(
        (p) => `${'  '.repeat(p.depth)}${p.pid} ${p.name}: ${p.state}${p.survivor === null ? '' : `; ${p.survivor.detail}`}`,
      ),
    ),
    ...section(
      'What was done',
      s.attempts.map((a) => a.text ?? `${a.what} by ${a.actor}, ${fullTime(a.at)}`),
    ),
    ...section('Files', f.files.filter((one) => one.isThere).map((one) => `\`${one.name}\`: ${one.about}`)),
    ...section('What is missing', missing.map((one) => `\`${one.name}\`: ${one.missing}.`)),
    '',
    `Unjam ${f.version}`,
  ]
    .map((line) => redact(visible(line)))
    .join('\n')}\n`; // prettier-ignore
}

const time = (at: string | null): string | null => (at === null ? null : fullTime(at));

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines.map((line) => (/^\s+- /.test(line) ? line : `- ${line}`))];
