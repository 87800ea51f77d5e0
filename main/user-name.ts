/** What the shell reads from its environment. */
import { userInfo } from 'node:os';

/** `CONTOSO\kim` on Windows: in the journal the domain tells an administrator from a namesake. */
export function userName(env: NodeJS.ProcessEnv): string {
  const { username } = userInfo();
  return env['USERDOMAIN'] === undefined ? username : `${env['USERDOMAIN']}\\${username}`;
}
