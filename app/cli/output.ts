/** How the command line speaks: tables for people, JSON for programs, errors with the next step. */
import { type ErrorBody, UnjamError } from '../contract/errors.ts';

export const exitUsage = 2;
const exitFailure = 1;

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}

/** Writes the error and sets the exit status: 2 for wrong words, 1 for the rest. */
export function fail(error: unknown, asJson: boolean): void {
  const known =
    error instanceof UnjamError
      ? error
      : new UnjamError(
          'internal',
          error instanceof Error ? error.message : String(error),
          'Report this with the command that you ran.',
        );
  const body: ErrorBody = known.toBody();
  process.stderr.write(
    asJson ? `${JSON.stringify({ error: body })}\n` : `unjam: ${body.message}\nNext: ${body.next} (${body.code})\n`,
  );
  process.exitCode = known.isUsage ? exitUsage : exitFailure;
}

export const age = (iso: string | null, now: number, format: (ms: number) => string): string =>
  iso === null ? '-' : format(now - Date.parse(iso));
