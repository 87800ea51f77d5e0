/** Who the command line says it is; the host sets beside it what it sees. */
import { userName } from '../processes/user-name.ts';

/** The person behind `sudo`, so that the journal reads `kim (as root)` and not `root` alone. */
export function person(environment: NodeJS.ProcessEnv = process.env): string {
  const behind = process.getuid?.() === 0 ? environment['SUDO_USER'] : undefined;
  return behind === undefined || behind === '' ? userName() : behind;
}
