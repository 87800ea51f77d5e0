/** A log of a million lines and 100 MB in a temporary folder, as a long deployment leaves it; some lines are planted. */
import { appendFileSync } from 'node:fs';
import type { LogFiles } from '../support/log-files.ts';

export const lineCount = 1_000_000;
export const planted = 1_942;

export function fill(log: LogFiles): void {
  const every = Math.floor(lineCount / planted);
  let block = '';
  for (let n = 1; n <= lineCount; n += 1) {
    const text = `  New File   ${String(n).padStart(9)} k   bin\\release\\net9.0\\module-${n % 977}.dll `;
    const isPlanted = n % every === 0 && n / every <= planted;
    block += `${(isPlanted ? `${text}sharing violation on file ${n} ` : text).padEnd(104, '.')}\n`;
    if (n % 20_000 === 0) {
      appendFileSync(log.directory.stdoutPath, block);
      if (n % 100_000 === 0) log.write('stderr', `robocopy : retry ${n}\n`);
      log.look();
      block = '';
    }
  }
  log.look(true);
}

export interface Measurement {
  readonly bar: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly limit: number;
}

export function report(measurements: readonly Measurement[]): void {
  console.table(
    measurements.map(({ bar, what, value, unit, limit }) => ({
      bar,
      what,
      value: `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`,
      limit: `${limit} ${unit}`,
    })),
  );
  console.log(JSON.stringify(measurements));
}
