/**
 * What is known of a script at one moment, as a few files: collected side by side, within a given time. What is not ready
 * then is left out and said.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Diagnosis, LogLine, ScriptDetail } from '../contract/methods.ts';
import { redact, redactWords } from '../domain/redact.ts';
import { visible } from '../domain/visible.ts';
import type { StoredEntry } from '../journal/journal.ts';
import type { ProcessControl } from '../processes/index.ts';
import { environmentNames, fileLocks, kernelStacks, type Look, nativeStacks, openFiles, type Part } from './parts.ts';
import { readme } from './readme.ts';
import type { ZipFile } from './zip.ts';

export const evidenceLimits = {
  logLines: 1_000,
  journalEntries: 500,
  /** Of one file, characters; the whole bundle is at most nine of these. */
  fileCharacters: 1_048_576,
  /** Of one line of the log. */
  lineCharacters: 4_000,
  /** Bundles kept beside a script; the oldest goes first. */
  kept: 5,
} as const;

export interface EvidenceSubject {
  readonly script: ScriptDetail;
  /** Its living processes. */
  readonly members: Look['members'];
  /** Names of the variables that it was started with. */
  readonly environmentNames: readonly string[];
  /** The agent that started it by itself. Its command lines and environment hold other people's secrets: left out. */
  readonly agent: string | null;
}

export interface EvidenceSources {
  readonly control: ProcessControl;
  readonly version: string;
  readonly why: (ticket: string) => Promise<Diagnosis>;
  readonly logLines: (ticket: string, count: number) => Promise<readonly LogLine[]>;
  readonly unjamLines: (ticket: string) => Promise<readonly LogLine[]>;
  readonly journal: (ticket: string, limit: number) => readonly StoredEntry[];
}

export interface Collection {
  readonly files: readonly ZipFile[];
  /** `native-stacks.txt: the debugger was not done in time`, one for each part that is not whole. */
  readonly missing: readonly string[];
}

interface Wanted {
  readonly name: string;
  readonly about: string;
  readonly read: () => Promise<Part> | Part;
}

export async function collect(
  { script, members, environmentNames: ownNames, agent }: EvidenceSubject,
  { by, occasion, budgetMs }: { readonly by: string; readonly occasion: string | null; readonly budgetMs: number },
  sources: EvidenceSources,
): Promise<Collection> {
  const { control } = sources;
  const at = Date.now();
  const { ticket } = script;
  const stop = new AbortController();
  const look: Look = { control, members, signal: stop.signal };
  const lives = members.length > 0;
  const cannot = (what: string): Part => ({ text: '', missing: `${what} cannot be read on this system` });
  let diagnosis: Diagnosis | null = null;
  const why = sources.why(ticket);
  why.catch(() => undefined); // whoever reads it says so
  const wanted: Wanted[] = [
    {
      name: 'processes.txt',
      about: agent === null ? 'the process tree with its commands' : 'the process tree',
      read: () => (agent === null ? processes(script, lives) : withoutCommands(processes(script, lives))),
    },
    {
      name: 'environment-names.txt',
      about: 'the names of the environment variables; no values',
      read: () =>
        agent !== null
          ? { text: '', missing: `the environment that ${agent} has given it is not read as a whole` }
          : lives
            ? environmentNames(look)
            : { text: ownNames.toSorted().join('\n'), missing: null },
    },
    {
      name: 'wait-reasons.txt',
      about: 'what each thread waits for, measured twice within half a second',
      read: async () => waits((diagnosis = await why)),
    },
    ...(lives
      ? [
          {
            name: 'kernel-stacks.txt',
            about: 'where each thread is in the kernel',
            read: () => (control.inspect ? kernelStacks(look) : cannot('kernel stacks')),
          },
          {
            name: 'open-files.txt',
            about: 'open files and sockets of each process',
            read: () => (control.inspect ? openFiles(look) : cannot('open files')),
          },
          {
            name: 'file-locks.txt',
            about: 'file locks that these processes hold or wait for',
            read: () => (control.fileLocks ? fileLocks(look) : cannot('file locks')),
          },
          {
            name: 'native-stacks.txt',
            about: 'stacks as the debuggers of the host print them; values are left out',
            read: async () => {
              if (!control.nativeStack) return cannot('native stacks');
              await why.catch(() => undefined); // a debugger stops a process, and would be seen as what it waits for
              return nativeStacks(look);
            },
          },
        ]
      : []),
    {
      name: 'log.txt',
      about: `the last ${evidenceLimits.logLines.toLocaleString('en')} lines of the log`,
      read: async () => whole((await sources.logLines(ticket, evidenceLimits.logLines)).map(logText)),
    },
    {
      name: 'timeline.txt',
      about: 'what Unjam observed and what people did',
      read: async () => whole((await sources.unjamLines(ticket)).map(logText)),
    },
    {
      name: 'journal.txt',
      about: 'the entries of the journal, newest first',
      read: () => whole(sources.journal(ticket, evidenceLimits.journalEntries).map(journalText)),
    },
  ];
  const results = await withinTime(wanted, budgetMs, stop);
  const files = wanted.map(({ name, about }, i) => {
    const { text, missing } = bounded(results[i] ?? late);
    return { name, about, text, missing, isThere: text !== '' };
  });
  const first = readme({
    at,
    machine: control.self.machine,
    version: sources.version,
    by,
    occasion,
    script,
    agent,
    diagnosis,
    files,
  });
  return {
    files: [
      { name: 'README.md', text: first },
      ...files.filter((file) => file.isThere).map(({ name, text }) => ({ name, text: `${text.trimEnd()}\n` })),
    ],
    missing: files.flatMap(({ name, missing }) => (missing === null ? [] : [`${name}: ${missing}`])),
  };
}

const late: Part = { text: '', missing: 'it was not ready in time' };
/** What has been read when the time is up is still handed over within this. */
const lastMomentMs = 100;

async function withinTime(wanted: readonly Wanted[], budgetMs: number, stop: AbortController): Promise<Part[]> {
  const timer = new AbortController();
  const parts = wanted.map(async ({ read }): Promise<Part> => {
    try {
      return await read();
    } catch (error) {
      return { text: '', missing: `it could not be read: ${(error as Error).message}` };
    }
  });
  const all = Promise.all(parts);
  const inTime = delay(budgetMs - lastMomentMs, null, { signal: timer.signal }).catch(() => null);
  const done = await Promise.race([all, inTime]);
  timer.abort();
  stop.abort();
  if (done !== null) return done;
  const end = delay(lastMomentMs, late);
  return Promise.all(parts.map((part) => Promise.race([part, end])));
}

function bounded({ text, missing }: Part): Part {
  const { fileCharacters: max } = evidenceLimits;
  if (text.length <= max) return { text, missing };
  const said = `it was cut after ${max.toLocaleString('en')} characters`;
  return { text: text.slice(0, max), missing: missing === null ? said : `${missing}; ${said}` };
}

const whole = (lines: readonly string[]): Part => ({ text: lines.map(redact).join('\n'), missing: null });

const logText = ({ at, stream, code, text }: LogLine): string =>
  `${at ?? '-'} ${stream === 'stderr' ? 'E' : stream === 'unjam' ? `Unjam ${code ?? ''}` : ' '} ${visible(text.slice(0, evidenceLimits.lineCharacters))}`;

const journalText = ({ at, kind, who, via, code, text }: StoredEntry): string =>
  `${new Date(at).toISOString()} ${kind} ${who} (${via}) ${code ?? ''} ${visible(text)}`;

function processes({ processes: all }: ScriptDetail, lives: boolean): Part {
  const text = all
    .map((p) => {
      const indent = '  '.repeat(p.depth);
      const used = `${p.cpuMs === null ? '' : `, CPU ${(p.cpuMs / 1000).toFixed(1)} s`}${p.ioBytes == null ? '' : `, I/O ${p.ioBytes} bytes`}`;
      const command = redactWords(p.commandLine.split(' ')).join(' ');
      const line = `${indent}${p.pid} ${p.name}: ${p.state}, user ${p.user ?? 'unknown'}, since ${p.startedAt}${used}`;
      return command === '' ? line : `${line}\n${indent}  ${visible(command)}`;
    })
    .join('\n');
  return { text, missing: text === '' && !lives ? 'no process of the script is left' : null };
}

const withoutCommands = ({ text, missing }: Part): Part => ({
  text,
  missing: missing ?? 'command lines of scripts of an agent are kept nowhere: they may hold passwords',
});

function waits({ findings, processes: all, measuredMs }: Diagnosis): Part {
  return whole([
    ...findings.flatMap((f) => [f.text, ...f.evidence.map((fact) => `  ${fact}`), '']),
    `Measured over ${measuredMs} ms.`,
    ...all.flatMap((p) => [
      `${p.pid} ${p.name}: ${p.state}${p.cpuDeltaMs === null ? '' : `, CPU ${p.cpuDeltaMs} ms`}, threads: ${p.threadCount}`,
      ...p.threads.map((t) => `  thread ${t.id}: ${t.state}, ${t.waitsIn ?? 'not waiting'}${t.call === null ? '' : `, in ${t.call}`}`),
    ]),
  ]); // prettier-ignore
}
