/** Asks the name service, which knows LDAP and the like; the files alone where there is no getent(1). */
import { execFile } from 'node:child_process';
import { read } from './proc.ts';

const boundMs = 10_000;

/** `kim`, `group:deploy`; also `uid:1000` and `gid:1000`, for what has no name yet. */
export async function accountId(name: string): Promise<string | null> {
  if (/^[ug]id:\d{1,10}$/.test(name)) return name;
  const isGroup = name.startsWith('group:');
  const short = isGroup ? name.slice('group:'.length) : name;
  // A name that begins with a dash would be an option, and a number would be looked up as an id.
  if (!/^[^-\s:][^\s:]*$/.test(short) || /^\d+$/.test(short)) return null;
  const entry = await entryOf(isGroup ? 'group' : 'passwd', short);
  const [found, , id] = entry?.split(':') ?? [];
  return found === undefined || id === undefined || !/^\d+$/.test(id) ? null : `${isGroup ? 'gid' : 'uid'}:${id}`;
}

function entryOf(table: 'passwd' | 'group', name: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile('/usr/bin/getent', [table, name], { env: {}, timeout: boundMs }, (error, stdout) => {
      if (error === null) resolve(stdout.split('\n', 1)[0] ?? null);
      else if (error.code === 'ENOENT') resolve(lineOf(`/etc/${table}`, name));
      else resolve(null);
    });
  });
}

const lineOf = (path: string, name: string): string | null =>
  read(path, 'utf8')
    ?.split('\n')
    .find((line) => line.split(':', 1)[0] === name) ?? null;
