/** The name of the user that this process runs as; in a container a uid may have none (getpwuid(3)). */
import { userInfo } from 'node:os';

/** Never throws: `uid 12345` where the system has no name. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
