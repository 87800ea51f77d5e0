/** Opens a URL in the default browser, when there is a display to show it on. */
import { spawn } from 'node:child_process';
import { findExecutable } from '../processes/find-executable.ts';
import { hasDesktop, isWindows } from '../processes/places.ts';

/** False when there is no display or no opener: the caller then prints the URL. */
export async function openInBrowser(url: string): Promise<boolean> {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter((e): e is [string, string] => e[1] !== undefined),
  );
  if (!hasDesktop(environment)) return false;
  const [opener, ...args] = isWindows ? ['rundll32.exe', 'url.dll,FileProtocolHandler', url] : ['xdg-open', url];
  const file = opener === undefined ? null : findExecutable(opener, process.cwd(), environment);
  if (file === null) return false;
  return new Promise((resolve) => {
    const child = spawn(file, args, { detached: true, stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
