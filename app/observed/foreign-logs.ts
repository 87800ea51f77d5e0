/** Reads the log of an agent where it lies, a part at a time. Nothing is copied. */
import { open } from 'node:fs/promises';
import type { ObservedScript } from '../agents/observed-script.ts';
import type { LogForm } from '../agents/recogniser.ts';
import { UnjamError } from '../contract/errors.ts';
import type { Output } from '../contract/methods.ts';
import type { ProcessControl } from '../processes/index.ts';
import { missingOf } from './views.ts';

export interface ForeignLine {
  readonly stream: 'stdout' | 'stderr' | 'agent';
  /** ISO time; null where the line has none. */
  readonly at: string | null;
  readonly text: string;
}

const tailBytes = 65_536;
const lineMax = 4_096;

/** A part of the log of `script`. @throws UnjamError `not-possible` */
export async function logOf(
  script: ObservedScript,
  part: { readonly from?: number | undefined; readonly maxBytes?: number | undefined },
  control: ProcessControl,
): Promise<Output<'observed.log'>> {
  if (script.log === null)
    throw new UnjamError(
      'not-possible',
      `${script.recogniser.name} keeps no log of "${script.title}" on this host that Unjam can find.`,
      'Look at the log in the agent’s own server.',
    );
  const { path, form, maskedBy } = script.log;
  try {
    const { lines, next } = await readForeignLog(path, form, part.from, part.maxBytes);
    const note =
      maskedBy === 'agent' ? 'Secrets are masked by the agent.' : 'As the script wrote it: nothing is masked.';
    return { path, maskedBy, note, next, lines: [...lines] };
  } catch (error) {
    throw new UnjamError(
      'not-possible',
      `The log of "${script.title}" cannot be read: ${(error as Error).message}.`,
      missingOf(true, control, script.user) ?? 'Look at it in the agent’s own server.',
    );
  }
}

/** Whole lines from `from` on; from the last 64 KB when it is absent. @throws the error of the file system */
async function readForeignLog(
  path: string,
  form: LogForm,
  from: number | undefined,
  maxBytes = tailBytes,
): Promise<{ readonly lines: readonly ForeignLine[]; readonly next: number }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    // A log that has become shorter is another one.
    const begin = from === undefined || from > size ? Math.max(0, size - tailBytes) : from;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(maxBytes, size - begin)), 0, undefined, begin);
    let part = buffer.subarray(0, bytesRead);
    const isTail = begin > 0 && begin !== from;
    const skipped = isTail ? part.indexOf(10) + 1 : 0;
    part = part.subarray(skipped);
    const end = part.lastIndexOf(10) + 1;
    // A line longer than one part is shown in pieces.
    const taken = end === 0 && part.length >= maxBytes - 4 ? part.length : end;
    const text = part.toString('utf8', 0, taken);
    return { lines: parseLines(text, form), next: begin + skipped + taken };
  } finally {
    await file.close();
  }
}

function parseLines(text: string, form: LogForm): ForeignLine[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => {
    const plain = line.replace(/\r$/, '').slice(0, lineMax);
    if (form === 'tentacle') return tentacleLine(line) ?? { stream: 'agent', at: null, text: plain };
    if (form === 'timed-lines') {
      const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) (.*)$/s.exec(plain);
      if (found) return { stream: 'stdout', at: isoOf(found[1] ?? ''), text: found[2] ?? '' };
    }
    return { stream: 'stdout', at: null, text: plain };
  });
}

/** `["stdout","text","2026-01-15T03:00:00+00:00"]`. */
function tentacleLine(line: string): ForeignLine | null {
  try {
    const entry: unknown = JSON.parse(line);
    if (!Array.isArray(entry)) return null;
    const [source, text, at] = entry as readonly unknown[];
    if (typeof source !== 'string' || typeof text !== 'string') return null;
    return {
      stream: source === 'stderr' ? 'stderr' : source === 'stdout' ? 'stdout' : 'agent',
      at: typeof at === 'string' ? isoOf(at) : null,
      text: text.slice(0, lineMax),
    };
  } catch {
    return null;
  }
}

function isoOf(text: string): string | null {
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
