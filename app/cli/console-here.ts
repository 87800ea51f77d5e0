/** The console's server in this process. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ApiOptions } from '../api/http-server.ts';
import type { ConsoleServer } from '../api/console-server.ts';
import { UnjamError } from '../contract/errors.ts';
import { consolePort } from '../processes/places.ts';
import { userName } from '../processes/user-name.ts';
import { version } from '../version.ts';

/**
 * On `port`; without one on the usual port of the state directory, or any other when that is taken.
 * @throws UnjamError `not-possible`
 */
export async function openConsoleHere(
  directory: string,
  port: number | undefined,
  api: Omit<ApiOptions, 'version'>,
): Promise<ConsoleServer> {
  const root = builtConsole();
  if (!existsSync(root))
    throw new UnjamError(
      'not-possible',
      `The console has not been built: "${root}" is missing.`,
      'Run "npm run build" in the checkout.',
    );
  const { openConsole } = await import('../api/console-server.ts');
  const { openConnectionOwner } = await import('../processes/index.ts');
  const options = {
    ...api,
    version,
    root,
    user: userName(),
    role: 'owner', // of this process, so of a host in it; another host knows this process by its account
    ownerOf: await openConnectionOwner(null),
  } as const;
  if (port !== undefined) return openConsole({ ...options, port });
  return openConsole({ ...options, port: consolePort(directory) }).catch(() => openConsole({ ...options, port: 0 }));
}

function builtConsole(): string {
  const beside = import.meta.url.endsWith('.ts')
    ? '../../dist/renderer'
    : import.meta.url.includes('/chunks/')
      ? '../renderer'
      : './renderer';
  return fileURLToPath(new URL(beside, import.meta.url));
}
