/** The version of this build; the package's own. */
import { readFileSync } from 'node:fs';

export const version: string = readVersion();

function readVersion(): string {
  for (const up of ['../package.json', '../../package.json'])
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (found.name === 'unjam' && found.version !== undefined) return found.version;
    } catch {
      // Not there: look one folder up.
    }
  return '0.0.0';
}
