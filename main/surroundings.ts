/** What the shell reads from its environment. */
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';

/** `UNJAM_HOME`, else the user's own folder for state; see docs and architecture: the same folder that the CLI uses. */
export function stateDirectory(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (env['UNJAM_HOME']) return env['UNJAM_HOME'];
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'Unjam');
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'unjam');
}

/** `CONTOSO\kim` on Windows: in the journal the domain tells an administrator from a namesake. */
export function userName(env: NodeJS.ProcessEnv): string {
  const { username } = userInfo();
  return env['USERDOMAIN'] === undefined ? username : `${env['USERDOMAIN']}\\${username}`;
}
