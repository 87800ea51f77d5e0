/** The files of a bundle that are read from processes: each looks at one process after the other, and gives way in between. */
import { setImmediate } from 'node:timers/promises';
import type { ProcessIdentity } from '../domain/identity.ts';
import { redact } from '../domain/redact.ts';
import type { NativeStack, ProcessControl } from '../processes/index.ts';

/** Of a part that is not whole: what there is, and why that is not all. */
export interface Part {
  readonly text: string;
  /** Null when it is all. */
  readonly missing: string | null;
}

export interface Member {
  readonly identity: ProcessIdentity;
}

export interface Look {
  readonly control: ProcessControl;
  readonly members: readonly Member[];
  /** Aborted when the time is up: what is not there then is missing. */
  readonly signal: AbortSignal;
}

const processesMax = 50;
const debuggedMax = 8;
const debuggedTogether = 2;

const title = ({ identity }: Member): string => `## ${identity.pid} ${identity.name}`;

/** One section for each process; `of` answers null when it has gone. */
async function each(
  { members, signal }: Look,
  of: (member: Member) => readonly string[] | null,
  notes: readonly string[] = [],
): Promise<Part> {
  const sections: string[] = [];
  const missing = [...notes];
  for (const [i, member] of members.entries()) {
    if (i >= processesMax) missing.push(`only the first ${processesMax} of ${members.length} processes are in it`);
    else if (signal.aborted) missing.push(`only ${i} of ${members.length} processes were read in time`);
    if (i >= processesMax || signal.aborted) break;
    sections.push([title(member), ...(of(member) ?? ['(has gone)'])].join('\n'));
    await setImmediate();
  }
  return { text: sections.join('\n\n'), missing: missing.length === 0 ? null : missing.join('; ') };
}

/** Names alone: values hold secrets. */
export function environmentNames(look: Look): Promise<Part> {
  return each(look, ({ identity }) => {
    const environment = look.control.environmentOf?.(identity);
    return environment == null ? ['(cannot be read)'] : Object.keys(environment).toSorted();
  });
}

export async function kernelStacks(look: Look): Promise<Part> {
  let isHidden = false;
  const part = await each(look, ({ identity }) => {
    const seen = look.control.inspect?.(identity) ?? null;
    if (seen === null) return null;
    const threads = seen.threads.map(({ id, name, waitsIn, call, kernelStack }) => {
      isHidden ||= kernelStack === null;
      const where = `thread ${id} ${name}: ${waitsIn ?? 'runs'}${call === null ? '' : `, in ${call}`}`;
      return kernelStack === null || kernelStack === '' ? where : `${where}\n${kernelStack.replaceAll(/^/gm, '    ')}`;
    });
    const more = seen.threadCount - seen.threads.length;
    return more > 0 ? [...threads, `and ${more} more threads`] : threads;
  });
  const hidden = 'kernel stacks are shown to root only; what each thread waits in is there';
  return isHidden ? { ...part, missing: [part.missing, hidden].filter((one) => one !== null).join('; ') } : part;
}

export function openFiles(look: Look): Promise<Part> {
  return each(look, ({ identity }) => {
    const seen = look.control.inspect?.(identity) ?? null;
    return (
      seen && [
        `program ${seen.program ?? 'unknown'}`,
        `folder ${seen.folder ?? 'unknown'}`,
        ...(seen.files.length === 0 ? ['(none can be seen)'] : seen.files.map(redact)),
      ]
    );
  });
}

export function fileLocks({ control, members }: Look): Part {
  const pids = new Set(members.map((m) => m.identity.pid));
  const rows = control.fileLocks?.(pids) ?? [];
  return {
    text: rows.length === 0 ? 'These processes hold no file locks and wait for none.' : rows.join('\n'),
    missing: null,
  };
}

/** py-spy says the command line of a process first, and that may hold secrets. */
const withoutCommand = (line: string): string => line.replace(/^(Process \d+): .*/, '$1');

/** Two at a time, the root first. */
export async function nativeStacks({ control, members, signal }: Look): Promise<Part> {
  const wanted = members.slice(0, debuggedMax);
  const results = new Map<Member, NativeStack | null>();
  const waiting = [...wanted];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift())
      results.set(next, (await control.nativeStack?.(next.identity, signal)) ?? null);
  };
  await Promise.all(Array.from({ length: debuggedTogether }, work));
  const printed = wanted.flatMap((member) => {
    const result = results.get(member);
    if (result == null) return [];
    const { tool, text, problem } = result;
    const head = `${title(member)} (${tool}${problem === null ? '' : `: ${problem}`})`;
    return [`${head}\n${text.split('\n').map(withoutCommand).map(redact).join('\n').trim()}`];
  });
  const late = wanted.filter((m) => !results.has(m) || results.get(m)?.problem?.includes('in time'));
  if (printed.length === 0 && late.length === 0)
    return { text: '', missing: 'no debugger is installed on this host (gdb, py-spy, jstack, dotnet-stack)' };
  const missing = [
    ...(late.length === 0 ? [] : [`the debugger was not done in time for ${late.map((m) => m.identity.pid).join(', ')}`]),
    ...(members.length > debuggedMax ? [`only the first ${debuggedMax} of ${members.length} processes are in it`] : []),
  ]; // prettier-ignore
  return { text: printed.join('\n\n'), missing: missing.length === 0 ? null : missing.join('; ') };
}
