/** How the command line speaks: tables for people, JSON for programs, errors with the next step. */
import { type ErrorBody, UnjamError } from '../contract/errors.ts';
import type { JsonDocument, JsonKind } from '../contract/json-documents.ts';
import { jsonDocument } from '../domain/json-document.ts';
import { systemProblem } from '../domain/system-errors.ts';
import { visible, visibleLine } from '../domain/visible.ts';

/** What `unjam` itself exits with; docs/exit-codes.md has them all. 141 = 128 + SIGPIPE, as other programs have it. */
export const exitStatuses = { failure: 1, usage: 2, pipeClosed: 141 } as const;

type Stream = 'stdout' | 'stderr';
let onLost: ((stream: Stream, problem: string) => void) | null = null;

/**
 * A reader that goes away (`| head`) or a full disk is no fault of Unjam's: no stack trace. Without `keepGoing` the
 * command ends: quietly with 141 when nobody reads any more, else with one line and 1.
 */
export function guardOutput(): void {
  for (const name of ['stdout', 'stderr'] as const)
    process[name].on('error', (error: NodeJS.ErrnoException) => {
      const problem = error.code === 'EPIPE' ? 'nobody reads it any more' : error.message;
      if (onLost) onLost(name, problem);
      else if (name === 'stdout') {
        if (error.code === 'EPIPE') process.exit(exitStatuses.pipeClosed);
        process.stderr.write(`unjam: Standard output could not be written: ${problem}.\n`);
        process.exit(exitStatuses.failure);
      }
    });
}

/** For commands whose work goes on without a reader. `listener` gets each stream once. */
export function keepGoingWithoutOutput(listener: (stream: Stream, problem: string) => void): void {
  const told = new Set<Stream>();
  onLost = (stream, problem) => {
    if (told.has(stream)) return;
    told.add(stream);
    listener(stream, problem);
  };
}

/** Lines for people. What may hold a line feed goes through `table` or `block` first: it could forge a line. */
export function print(text: string): void {
  printFile(text.split('\n').map(visible).join('\n'));
}

/** For what a program reads, as it stands. */
export function printFile(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** One line for the person beside the output: what is going on, and what goes wrong. */
export function say(text: string): void {
  process.stderr.write(`unjam: ${visibleLine(text)}\n`);
}

/** What the command prints for a program. The type argument is its key in the table of documents: `printJson<'ps'>(…)`. */
export function printJson<K extends JsonKind = never>(value: JsonDocument<K>): void {
  printFile(jsonText<K>(value, 2));
}

/** The same as text; without `indent` in one line, for what prints one after the other. */
export function jsonText<K extends JsonKind = never>(value: JsonDocument<K>, indent = 0): string {
  return jsonDocument(value, indent);
}

/** Columns as wide as their widest cell; the last one is not padded. Every cell is made one harmless line. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(visibleLine));
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(header), ...cells.map(line)].join('\n');
}

/** Several lines for people, each made harmless; their indentation stays. */
export function block(lines: readonly string[]): string {
  return lines.map((line) => `${/^ */.exec(line)?.[0] ?? ''}${visibleLine(line)}`).join('\n');
}

/** Writes the error and sets the exit status: 2 for wrong words, 1 for the rest. */
export function fail(error: unknown, asJson: boolean): void {
  const known = error instanceof UnjamError ? error : (refusedBySystem(error) ?? internal(error));
  const body: ErrorBody = known.toBody();
  process.stderr.write(
    asJson
      ? `${jsonText<'error'>({ error: body })}\n`
      : `unjam: ${visibleLine(body.message)}\nNext: ${visibleLine(body.next)} (${body.code})\n`,
  );
  process.exitCode = known.isUsage ? exitStatuses.usage : exitStatuses.failure;
}

/** A full disk, a limit or a missing right is no fault of Unjam's. */
function refusedBySystem(error: unknown): UnjamError | null {
  const problem = systemProblem(error);
  const text = problem && `${problem.text.charAt(0).toUpperCase()}${problem.text.slice(1)}.`;
  return text === null ? null : new UnjamError('system', text, problem?.next ?? '');
}

const internal = (error: unknown): UnjamError =>
  new UnjamError(
    'internal',
    error instanceof Error ? error.message : String(error),
    'Report this with the command that you ran.',
  );

export const age = (iso: string | null, now: number, format: (ms: number) => string): string =>
  iso === null ? '-' : format(now - Date.parse(iso));
